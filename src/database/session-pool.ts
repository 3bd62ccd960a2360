import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import { openSession, type SessionOptions } from './open-session.ts';
import { PreparedStatements } from './prepared-statements.ts';

export interface SessionPoolOptions extends Omit<SessionOptions, 'statementTimeoutMs'> {
  /** Server-side limit of one statement, 30 s unless told; 0 is none. */
  statementTimeoutMs?: number;
}

/** A session on loan; give it back with `release`. */
type BorrowedSession = PostgresPoolClient;

interface Session {
  client: pg.Client;
  statements: PreparedStatements;
  isBroken: boolean;
}

const idleMs = 1000;
const endLimitMs = 2000;

/**
 * At most one server session, opened when a query needs it, closed again after a second of idleness, and opened anew
 * when the server dropped it: so tend holds none while a long child works, and a restart of the server between two
 * queries goes unnoticed. Borrowers queue in order; `end` is bounded, whatever state the server is in.
 */
export class SessionPool implements PostgresPool {
  readonly options = {};
  readonly #options: SessionOptions;
  #session: Session | undefined;
  #tail: Promise<void> = Promise.resolve();
  #idleTimer: NodeJS.Timeout | undefined;
  #isEnded = false;

  constructor(options: SessionPoolOptions) {
    this.#options = { statementTimeoutMs: 30_000, ...options };
  }

  async connect(): Promise<BorrowedSession> {
    const previous = this.#tail;
    const turn = Promise.withResolvers<void>();
    this.#tail = turn.promise;
    await previous;
    try {
      if (this.#isEnded) throw new Error('the database session pool has ended');
      clearTimeout(this.#idleTimer);
      const session = await this.#liveSession();
      let isReleased = false;
      return {
        query: this.#guardedQuery(session),
        release: () => {
          if (isReleased) return;
          isReleased = true;
          this.#afterUse(session);
          turn.resolve();
        },
      };
    } catch (error) {
      turn.resolve();
      throw error;
    }
  }

  /** Sends one statement, and gives its rows. For those that must do without Kysely; see beginTick. */
  async query<Row>(text: string, values: readonly unknown[]): Promise<Row[]> {
    const session = await this.connect();
    try {
      const { rows } = await session.query<Row>(text, values);
      return rows;
    } finally {
      session.release();
    }
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    clearTimeout(this.#idleTimer);
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) await close(session);
  }

  async #liveSession(): Promise<Session> {
    if (this.#session !== undefined && !this.#session.isBroken) return this.#session;
    this.#session = undefined;
    const client = await openSession(this.#options);
    const session: Session = { client, statements: new PreparedStatements(client), isBroken: false };
    const markBroken = () => {
      session.isBroken = true;
    };
    client.on('error', markBroken);
    client.on('end', markBroken);
    this.#session = session;
    return session;
  }

  /** A query that timed out on our side leaves the protocol in an unknown state: such a session is not used again. */
  #guardedQuery(session: Session): BorrowedSession['query'] {
    const run = async (...args: unknown[]): Promise<unknown> => {
      try {
        const [text, values] = args;
        if (typeof text === 'string' && Array.isArray(values) && values.length > 0)
          return await session.statements.query(text, values);
        // The arguments are passed through untouched, so the overload chosen by the caller holds.
        return await Reflect.apply(session.client.query, session.client, args);
      } catch (error) {
        if (!isServerError(error)) session.isBroken = true;
        throw error;
      }
    };
    return run as BorrowedSession['query']; // same arguments, same promise
  }

  #afterUse(session: Session): void {
    if (session.isBroken || this.#isEnded) {
      if (this.#session === session) this.#session = undefined;
      void close(session);
      return;
    }
    this.#idleTimer = setTimeout(() => {
      if (this.#session !== session) return;
      this.#session = undefined;
      void close(session);
    }, idleMs);
    this.#idleTimer.unref();
  }
}

function isServerError(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && error.severity === 'ERROR';
}

async function close(session: Session): Promise<void> {
  const { client } = session;
  const giveUp = setTimeout(() => destroySocket(client), session.isBroken ? 0 : endLimitMs);
  try {
    await client.end();
  } catch {
    // Closing a broken connection fails in its own ways; it is gone either way.
  } finally {
    clearTimeout(giveUp);
  }
}

function destroySocket(client: pg.Client): void {
  // `connection` is node-postgres's own public-by-use handle to the socket; its types leave it out.
  const { connection } = client as unknown as { connection?: { stream?: { destroy(): void } } };
  connection?.stream?.destroy();
}
