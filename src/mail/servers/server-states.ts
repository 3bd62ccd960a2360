import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { TendError } from '../../errors.ts';
import { fingerprintServer, type MailServer } from './mail-server.ts';
import { findServerRow, recordServerFailure, recordServerSuccess } from './server-rows.ts';

/** Why a server is not tried. */
export interface ServerTrouble {
  failureClass: 'server' | 'configuration';
  reason: string;
  /** It began just now, or again in another way: a person should be told. */
  isNews: boolean;
}

/** Conversations that broke in the middle of a message, one after the other, until the server is blamed. */
const brokenAtMost = 3;

interface State {
  trouble: ServerTrouble | undefined;
  /** Failing when this worker began: one message tries it, the others wait for what comes of it. */
  probe: Promise<void> | undefined;
  isKnownToFail: boolean;
  broken: number;
  hasSucceeded: boolean;
}

/**
 * What is known about the servers, over all ticks: one that fails is tried by the next tick with one message and not with
 * all, and one that refuses our password not every minute, since accounts are locked for that.
 */
export class ServerStates {
  readonly #db: Kysely<Database> | undefined;
  readonly #states = new Map<string, Promise<State>>();

  /** @param options.db undefined where nothing is to be remembered. */
  constructor(options: { db: Kysely<Database> | undefined }) {
    this.#db = options.db;
  }

  /**
   * Asks for leave to use a server. Undefined: go on, and report with {@link succeeded} or {@link failed}; while it is being
   * tried out, this waits for the outcome.
   */
  async enter(server: MailServer): Promise<{ trouble?: ServerTrouble; endProbe(): void }> {
    for (;;) {
      const state = await this.#state(server);
      if (state.trouble !== undefined) return { trouble: state.trouble, endProbe: nothing };
      if (!state.isKnownToFail) return { endProbe: nothing };
      if (state.probe === undefined) {
        const probe = Promise.withResolvers<void>();
        state.probe = probe.promise;
        return {
          endProbe: () => {
            state.probe = undefined;
            probe.resolve();
          },
        };
      }
      await state.probe;
    }
  }

  /** A message went through. Never throws. */
  async succeeded(server: MailServer): Promise<void> {
    const state = await this.#state(server);
    state.broken = 0;
    if (state.hasSucceeded && !state.isKnownToFail) return;
    const wasFailing = state.isKnownToFail;
    state.isKnownToFail = false;
    state.hasSucceeded = true;
    await orElse(this.#db && recordServerSuccess(this.#db, server, { wasFailing }), undefined);
  }

  /** The server, or what we tell it, is at fault. Returns what was made of it. */
  async failed(
    server: MailServer,
    { failureClass, error }: { failureClass: 'server' | 'configuration'; error: TendError },
  ): Promise<ServerTrouble> {
    const state = await this.#state(server);
    if (state.trouble !== undefined) return state.trouble;
    const trouble = { failureClass, reason: error.message, isNews: true };
    state.trouble = trouble;
    trouble.isNews = await orElse(this.#db && recordServerFailure(this.#db, server, trouble), true);
    return trouble;
  }

  /** Notes that a conversation broke in the middle of a message; true once the server is to be blamed for it. */
  async noteBroken(server: MailServer): Promise<boolean> {
    const state = await this.#state(server);
    state.broken += 1;
    return state.broken >= brokenAtMost;
  }

  /** Why the server is not tried; undefined where it is. */
  async troubleOf(server: MailServer): Promise<ServerTrouble | undefined> {
    return (await this.#state(server)).trouble;
  }

  #state(server: MailServer): Promise<State> {
    const known = this.#states.get(server.name);
    if (known !== undefined) return known;
    const loading = this.#load(server);
    this.#states.set(server.name, loading);
    return loading;
  }

  async #load(server: MailServer): Promise<State> {
    const state: State = {
      trouble: undefined,
      probe: undefined,
      isKnownToFail: false,
      broken: 0,
      hasSucceeded: false,
    };
    const row = await orElse(this.#db && findServerRow(this.#db, server.name), undefined);
    if (row === undefined || row.failureClass === null) return state;
    state.isKnownToFail = true;
    const isChanged = row.fingerprint !== fingerprintServer(server);
    if (row.isPaused && !isChanged) {
      state.trouble = { failureClass: row.failureClass, reason: row.reason ?? 'it failed', isNews: false };
    }
    return state;
  }
}

function nothing(): void {}

/**
 * What is noted about a server is for the next tick and for people. It is not worth a message: by then the server's
 * answer may be known, and must be recorded.
 */
async function orElse<T>(noting: Promise<T> | undefined, otherwise: T): Promise<T> {
  try {
    return (await noting) ?? otherwise;
  } catch {
    return otherwise;
  }
}
