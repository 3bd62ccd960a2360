import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { TendError } from '../../errors.ts';
import { fingerprintServer, type MailServer } from './mail-server.ts';

/** Why a server is not tried. */
export interface ServerTrouble {
  failureClass: 'server' | 'configuration';
  reason: string;
  /** It began just now, or again in another way: a person should be told. */
  isNews: boolean;
}

/** After a failure that only a person can mend, until it is tried again without a change of the settings. */
const configurationPauseMs = 15 * 60_000;
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

interface Row {
  failureClass: 'server' | 'configuration' | null;
  reason: string | null;
  fingerprint: string;
  isPaused: boolean;
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

  /** A message went through. */
  async succeeded(server: MailServer): Promise<void> {
    const state = await this.#state(server);
    state.broken = 0;
    if (state.hasSucceeded && !state.isKnownToFail) return;
    const wasFailing = state.isKnownToFail;
    state.isKnownToFail = false;
    state.hasSucceeded = true;
    await this.#recordSuccess(server, wasFailing);
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
    trouble.isNews = await this.#recordFailure(server, trouble);
    return trouble;
  }

  /** Notes that a conversation broke in the middle of a message; true once the server is to be blamed for it. */
  async noteBroken(server: MailServer): Promise<boolean> {
    const state = await this.#state(server);
    state.broken += 1;
    return state.broken >= brokenAtMost;
  }

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
    const row = this.#db === undefined ? undefined : await findRow(this.#db, server.name);
    if (row === undefined || row.failureClass === null) return state;
    state.isKnownToFail = true;
    const isChanged = row.fingerprint !== fingerprintServer(server);
    if (row.isPaused && !isChanged) {
      state.trouble = { failureClass: row.failureClass, reason: row.reason ?? 'it failed', isNews: false };
    }
    return state;
  }

  /** Returns whether this is the first failure of its class since the server worked. */
  async #recordFailure(server: MailServer, { failureClass, reason }: ServerTrouble): Promise<boolean> {
    if (this.#db === undefined) return true;
    const pauseMs = failureClass === 'configuration' ? configurationPauseMs : 0;
    const { rows } = await sql<{ isNews: boolean }>`
      with before as materialized (
        select failure_class from tend.mail_servers where name = ${server.name}
      ), written as (
        insert into tend.mail_servers as s
               (name, settings_fingerprint, failing_since, failures, failure_class, reason, retry_at)
        values (${server.name}, ${fingerprintServer(server)}, now(), 1, ${failureClass}, ${reason},
                now() + ${pauseMs}::float8 * interval '1 ms')
        on conflict (name) do update
           set settings_fingerprint = excluded.settings_fingerprint, failures = s.failures + 1,
               failing_since = coalesce(s.failing_since, now()), failure_class = excluded.failure_class,
               reason = excluded.reason, retry_at = excluded.retry_at
      )
      select coalesce((select failure_class from before) is distinct from ${failureClass}, true) as "isNews"`.execute(
      this.#db,
    );
    return rows[0]?.isNews ?? true;
  }

  /** Once a worker: the row is for people and for the next tick. */
  async #recordSuccess(server: MailServer, wasFailing: boolean): Promise<void> {
    if (this.#db === undefined) return;
    await sql`
      insert into tend.mail_servers as s (name, settings_fingerprint, last_success_at)
      values (${server.name}, ${fingerprintServer(server)}, now())
      on conflict (name) do update
         set settings_fingerprint = excluded.settings_fingerprint, last_success_at = now(), failures = 0,
             failing_since = null, failure_class = null, reason = null, retry_at = null
       where ${wasFailing} or s.last_success_at is null or s.last_success_at < now() - interval '10 s'`.execute(
      this.#db,
    );
  }
}

function nothing(): void {}

async function findRow(db: Kysely<Database>, name: string): Promise<Row | undefined> {
  const { rows } = await sql<Row>`
    select failure_class as "failureClass", reason, settings_fingerprint as fingerprint,
           coalesce(retry_at > now(), false) as "isPaused"
      from tend.mail_servers where name = ${name}`.execute(db);
  return rows[0];
}
