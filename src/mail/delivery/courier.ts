import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { formatDuration } from '../../duration.ts';
import type { SecretRegistry } from '../../redact.ts';
import { sweepBuffers, sweepKeptBuffers } from '../../sweep-buffers.ts';
import { tokenFetcher } from '../servers/fetch-token.ts';
import { type MailServer, serverChain } from '../servers/mail-server.ts';
import type { MailSettings } from '../servers/mail-settings.ts';
import { describeTransport } from '../servers/mail-transport.ts';
import { ServerStates, type ServerTrouble } from '../servers/server-states.ts';
import { SmtpPool } from '../smtp/smtp-pool.ts';
import { deliverMessage, type OutgoingMessage } from './deliver-message.ts';
import type { FailureClass, MailOutcome } from './mail-outcome.ts';
import { Places } from './places.ts';
import { takeTurn } from './take-turn.ts';

export interface CourierOptions {
  settings: MailSettings;
  /** Where server troubles and rates are shared with other processes; undefined: neither is known. */
  db: Kysely<Database> | undefined;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
}

export interface CarriedMessage extends OutgoingMessage {
  /** Name of the server to begin with. */
  serverName: string;
  /** A person waits: a server that is known to fail is tried all the same, and no rate is waited for. */
  isByHand: boolean;
}

/** Nothing was tried, since there is no server for it now. */
export interface NotNow {
  state: 'not-now';
  reason: string;
  delayMs: number;
  /** What keeps the message back keeps every other back, too. */
  isForAll: boolean;
  trouble: ServerTrouble | undefined;
}

/** For the two packets of replies to one message. */
const bufferBytes = 2 * 64 * 1024;
/** A turn that is further away is not waited for in memory. */
const patienceMs = 30_000;
/** Until a message is tried again whose server fails, while others can go out over another. */
const otherServersMs = 60_000;

/**
 * Carries the messages of one worker: over kept connections, at the rates that are allowed, past servers that fail to
 * those that stand in for them.
 */
export class Courier implements AsyncDisposable {
  readonly #options: CourierOptions;
  readonly #states: ServerStates;
  readonly #pools = new Map<string, SmtpPool>();
  readonly #domains = new Map<string, Places>();
  readonly #stop = new AbortController();
  readonly #sweep = sweepBuffers();
  readonly #sweepKept = sweepKeptBuffers();

  constructor(options: CourierOptions) {
    this.#options = options;
    this.#states = new ServerStates({ db: options.db });
  }

  /** The outcome, and the server it came from. Throws only what `beforeEnd` or the database threw. */
  async carry(message: CarriedMessage): Promise<{ outcome: MailOutcome | NotNow; server: string | null }> {
    const troubles: ServerTrouble[] = [];
    let last: { outcome: MailOutcome; server: string } | undefined;
    for (const server of serverChain(this.#options.settings.servers, message.serverName)) {
      const leave = await this.#states.enter(server);
      try {
        if (leave.trouble !== undefined && !message.isByHand) {
          troubles.push(leave.trouble);
          continue;
        }
        const later = message.isByHand ? undefined : await this.#awaitTurns(server, message);
        if (later !== undefined) return { outcome: later, server: null };
        last = { outcome: await this.#carryOver(server, message), server: server.name };
        const trouble = await this.#learn(server, last.outcome, message.signal);
        if (trouble === undefined) return last;
        troubles.push(trouble);
      } finally {
        leave.endProbe();
      }
    }
    if (last !== undefined && message.isByHand) return last;
    return { outcome: await this.#notNow(troubles), server: last?.server ?? null };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#pools.values()].map((pool) => pool[Symbol.asyncDispose]()));
  }

  async #carryOver(server: MailServer, message: CarriedMessage): Promise<MailOutcome> {
    const { settings, env } = this.#options;
    const { redirectAll } = settings;
    const { transport } = server;
    using _places = settings.domains.size === 0 ? undefined : await this.#takeDomainPlaces(message);
    const outcome = await deliverMessage({
      ...message,
      transport,
      redirectAll,
      env,
      pool: this.#pool(server),
    });
    // The message as it was read, composed and sent, and a buffer for each reply.
    this.#sweep(message.raw.length * 4 + bufferBytes);
    this.#sweepKept(message.raw.length * 4);
    return outcome;
  }

  #pool({ name, transport, connections }: MailServer): SmtpPool | undefined {
    const known = this.#pools.get(name);
    if (known !== undefined || transport.type !== 'smtp') return known;
    const command = transport.tokenCommand;
    const fetchToken =
      command === undefined
        ? undefined
        : tokenFetcher({ ...this.#options, command, signal: this.#stop.signal });
    const pool = new SmtpPool({ transport, connections, fetchToken });
    this.#pools.set(name, pool);
    return pool;
  }

  async #learn(
    server: MailServer,
    outcome: MailOutcome,
    signal: AbortSignal,
  ): Promise<ServerTrouble | undefined> {
    if (outcome.state === 'unknown' || (outcome.state === 'not-delivered' && signal.aborted))
      return undefined;
    if (outcome.state === 'answered' || isAboutMessage(outcome.failureClass)) {
      await this.#states.succeeded(server);
      return undefined;
    }
    const { failureClass, error } = outcome;
    if (failureClass === 'transaction' && !(await this.#states.noteBroken(server))) return undefined;
    const blamed = failureClass === 'configuration' ? 'configuration' : 'server';
    return await this.#states.failed(server, { failureClass: blamed, error });
  }

  async #notNow(troubles: readonly ServerTrouble[]): Promise<NotNow> {
    const { servers } = this.#options.settings;
    const states = await Promise.all([...servers.values()].map((server) => this.#states.troubleOf(server)));
    const isForAll = states.every((trouble) => trouble !== undefined);
    const trouble = troubles.find(({ isNews }) => isNews) ?? troubles[0];
    const reason = troubles.map((each) => each.reason).join('; ');
    return { state: 'not-now', reason, delayMs: isForAll ? 0 : otherServersMs, isForAll, trouble };
  }

  /** Waits for the turn of the server and of each domain that has a rate; undefined when it has come. */
  async #awaitTurns(server: MailServer, message: CarriedMessage): Promise<NotNow | undefined> {
    const { db, settings } = this.#options;
    if (db === undefined || (server.paceMs === undefined && settings.domains.size === 0)) return undefined;
    const limited = domainsOf(message).flatMap((domain) => {
      const paceMs = settings.domains.get(domain)?.paceMs;
      return paceMs === undefined ? [] : [{ bucket: `domain:${domain}`, paceMs, isServer: false }];
    });
    if (server.paceMs !== undefined)
      limited.push({ bucket: `server:${server.name}`, paceMs: server.paceMs, isServer: true });
    for (const { bucket, paceMs, isServer } of limited) {
      const { isTaken, waitMs } = await takeTurn({ db, bucket, paceMs, patienceMs });
      if (!isTaken) {
        const isForAll = isServer && settings.servers.size === 1;
        const reason = `the rate of ${isServer ? describeTransport(server.transport) : bucket.slice(7)} allows the next message in ${formatDuration(Math.ceil(waitMs / 1000) * 1000)}`;
        return { state: 'not-now', reason, delayMs: isForAll ? 0 : waitMs, isForAll, trouble: undefined };
      }
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: message.signal });
    }
    return undefined;
  }

  async #takeDomainPlaces(message: CarriedMessage): Promise<DisposableStack> {
    const taken = new DisposableStack();
    try {
      // In one order for all, so that two messages never wait for each other.
      for (const domain of domainsOf(message)) {
        const connections = this.#options.settings.domains.get(domain)?.connections;
        if (connections === undefined) continue;
        const places = this.#domains.get(domain) ?? new Places(connections);
        this.#domains.set(domain, places);
        taken.use(await places.take(message.signal));
      }
      return taken;
    } catch (error) {
      taken.dispose();
      throw error;
    }
  }
}

/** The server answered, as one that works does. */
function isAboutMessage(failureClass: FailureClass): boolean {
  return failureClass === 'message' || failureClass === 'recipient';
}

/** The recipients' domains, each once, sorted. */
function domainsOf({ recipients }: OutgoingMessage): string[] {
  const domains = recipients.map(({ address }) => address.slice(address.lastIndexOf('@') + 1).toLowerCase());
  return [...new Set(domains)].toSorted();
}
