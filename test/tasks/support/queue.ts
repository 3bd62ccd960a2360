import type { Kysely } from 'kysely';
import type pg from 'pg';
import * as v from 'valibot';
import { expect } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { type Config, configSchema } from '../../../src/config/schema.ts';
import type { ConnectionSettings } from '../../../src/connection/settings.ts';
import { openDatabase } from '../../../src/database/open-database.ts';
import type { Database } from '../../../src/database/tables.ts';
import { type Log, silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { type ClaimedTask, claimDueTasks } from '../../../src/tasks/claim-due-tasks.ts';
import type { AttemptEnding } from '../../../src/tasks/finish-attempts.ts';
import type {
  HandlerContext,
  KindPolicy,
  RunningTask,
  TaskResult,
} from '../../../src/tasks/handlers/handler.ts';
import type { RegisteredKind } from '../../../src/tasks/kinds-fingerprint.ts';
import { runTick, type TickOptions, type TickReport } from '../../../src/tasks/run-tick.ts';
import { type WorkerIdentity, workerIdentity } from '../../../src/tasks/worker-identity.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { tickDatabase } from '../../support/tick-database.ts';

export const host = 'testhost';

/** A row of `tend.tasks` as the tests look at it. */
export interface TaskRow extends pg.QueryResultRow {
  id: number;
  kind: string;
  state: string;
  reason: string | null;
  attempt: number;
  max_attempts: number;
  run_at: Date;
  unique_key: string | null;
  mutex: string | null;
  payload: Record<string, unknown>;
  lease_owner: string | null;
  lease_token: string | null;
  lease_until: Date | null;
  started_at: Date | null;
  finished_at: Date | null;
  cancel_requested_at: Date | null;
  created_at: Date;
  last_error: string | null;
  on_lost: string;
  /** As node-postgres gives a bigint. */
  enqueued_by: string | null;
}

/** A row of `tend.attempts` as the tests look at it. */
export interface AttemptRow extends pg.QueryResultRow {
  task_id: number;
  attempt: number;
  owner: string;
  outcome: string;
  exit_code: number | null;
  error: string | null;
  output_tail: string | null;
  evidence: unknown;
}

export type Handler = (task: RunningTask<Record<string, unknown>>) => Promise<TaskResult>;

/** A queue of one test file, with what the tests do to it. */
export interface Queue extends AsyncDisposable {
  database: TestDatabase;
  /** The product's session. */
  db: Kysely<Database>;
  worker: WorkerIdentity;
  /** Calls `tend.enqueue` with named arguments and returns the id. */
  enqueue(kind: string, args?: Record<string, unknown>): Promise<number>;
  task(id: number): Promise<TaskRow>;
  attempts(id: number): Promise<AttemptRow[]>;
  /** The unique keys of waiting tasks, in order. */
  waitingKeys(): Promise<string[]>;
  claim(options?: {
    count?: number;
    kinds?: string[];
    worker?: WorkerIdentity;
    leaseMs?: number;
    hostLimit?: number;
  }): Promise<ClaimedTask[]>;
  /** Lets the lease of a running task end in the past. */
  expire(id: number): Promise<void>;
  context(options?: { tasks?: Record<string, unknown>; db?: Kysely<Database> }): HandlerContext;
  tick(handlers: Record<string, Handler | FakeKind>, options?: GivenToTick): Promise<TickReport>;
  /** Resolves once a statement in this database waits for a lock of another transaction. */
  untilBlocked(): Promise<void>;
  /**
   * Runs `move` while an application's transaction holds one unique key and goes on to take another: should the two wait
   * for each other in a circle, it is the application's that the server ends.
   */
  duringEnqueues(keys: readonly [string, string], move: () => Promise<unknown>): Promise<void>;
  clear(): Promise<void>;
}

/** Anything a tick is given, and what its handlers get. */
export type GivenToTick = Partial<TickOptions> & { context?: HandlerContext };

export interface FakeKind extends Partial<KindPolicy> {
  run: Handler;
  payloadSchema?: v.GenericSchema<unknown, Record<string, unknown>>;
}

export async function createQueue(): Promise<Queue> {
  const database = await createTestDatabase();
  const admin = await database.connect();
  const db = openDatabase({ connection: database.connection, applicationName: 'queue under test' });
  const worker = workerIdentity(host);
  const context: Queue['context'] = (options = {}) =>
    handlerContext({ connection: database.connection, db, ...options });
  const untilBlocked = async () => {
    const blocked = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(() => database.query(blocked)).not.toEqual([]);
  };
  return {
    database,
    db,
    worker,
    async enqueue(kind, args = {}) {
      const names = Object.keys(args);
      const given = names.map((name, index) => `, ${name} => $${index + 2}`).join('');
      const values = names.map((name) => (name === 'payload' ? JSON.stringify(args[name]) : args[name]));
      const { rows } = await admin.query(`select tend.enqueue($1${given}) as id`, [kind, ...values]);
      return Number(rows[0]?.id);
    },
    async task(id) {
      const { rows } = await admin.query<TaskRow>('select * from tend.tasks where id = $1', [id]);
      const row = rows[0];
      if (row === undefined) throw new Error(`There is no task ${id}.`);
      return { ...row, id }; // node-postgres gives bigint as a string
    },
    async attempts(id) {
      const sql = 'select * from tend.attempts where task_id = $1 order by started_at, finished_at';
      return (await admin.query<AttemptRow>(sql, [id])).rows;
    },
    async waitingKeys() {
      const waiting = `select unique_key as key from tend.tasks where state = 'waiting' and unique_key is not null order by 1`;
      return (await admin.query<{ key: string }>(waiting)).rows.map(({ key }) => key);
    },
    async claim({ worker: claimer = worker, ...given } = {}) {
      return await claimDueTasks({
        db,
        worker: claimer,
        ...{ leaseMs: 60_000, kinds: ['noop'], count: 1 },
        ...given,
      });
    },
    async expire(id) {
      await admin.query(`update tend.tasks set lease_until = now() - interval '1 s' where id = $1`, [id]);
    },
    context,
    async tick(handlers, { context: given = context(), ...options } = {}) {
      return await runTick({
        ...tickDatabase(given.db),
        openContext: async () => given,
        ...{ config: given.config, clock: given.clock },
        kinds: fakeKinds(handlers),
        worker: workerIdentity(host),
        log: silentLog,
        signal: new AbortController().signal,
        concurrency: 4,
        limit: 1000,
        deadlineMs: 20_000,
        ...options,
      });
    },
    untilBlocked,
    async duringEnqueues([first, second], move) {
      const session = await database.connect();
      try {
        await session.query(`set deadlock_timeout = '10ms'`);
        await session.query('begin');
        await session.query(`select tend.enqueue('noop', unique_key => $1)`, [first]);
        const moving = move();
        moving.catch(() => undefined);
        await untilBlocked();
        await session.query(`select tend.enqueue('noop', unique_key => $1)`, [second]);
        await session.query('commit');
        await moving;
      } finally {
        await session.end();
      }
    },
    async clear() {
      await admin.query(
        'truncate tend.tasks, tend.attempts, tend.kinds, tend.hosts, tend.deliveries, tend.pauses, tend.alerts restart identity',
      );
    },
    async [Symbol.asyncDispose]() {
      await db.destroy();
      await admin.end();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** What handlers get, with the configuration's defaults. */
export function handlerContext(options: {
  connection: ConnectionSettings;
  db: Kysely<Database>;
  tasks?: Record<string, unknown>;
}): HandlerContext {
  const config: Config = v.parse(configSchema, { tasks: { grace: '1s', ...options.tasks } });
  const { connection, db } = options;
  const secrets = new SecretRegistry();
  return { config, baseDirectory: '/', connection, db, clock: systemClock, env: {}, secrets };
}

/** Kinds whose handlers the test writes. */
export function fakeKinds(handlers: Record<string, Handler | FakeKind>): Map<string, RegisteredKind> {
  const kinds = new Map<string, RegisteredKind>();
  for (const [kind, given] of Object.entries(handlers)) {
    const { run, payloadSchema, ...policy } = typeof given === 'function' ? { run: given } : given;
    const handler = { payloadSchema: payloadSchema ?? v.record(v.string(), v.unknown()), run };
    kinds.set(kind, {
      kind,
      summary: kind,
      source: 'config',
      policy: { ...defaultPolicy, ...policy },
      // A handler is only ever run with the output of its own payloadSchema.
      load: async () => handler,
    });
  }
  return kinds;
}

export const defaultPolicy: KindPolicy = {
  maxAttempts: 5,
  timeoutMs: 60_000,
  onLost: 'retry',
  mutex: null,
  maxRunning: null,
  retryBaseMs: 60_000,
  retryCapMs: 3_600_000,
};

export const succeed: Handler = async () => ({ outcome: 'succeeded' });

/** An ending of an attempt, by default the simplest success. */
export function ending(given: Partial<AttemptEnding> = {}): AttemptEnding {
  return {
    outcome: 'succeeded',
    state: 'succeeded',
    delayMs: 0,
    isCounted: true,
    isRecorded: true,
    reason: null,
    error: null,
    exitCode: null,
    outputTail: null,
    evidence: null,
    followUps: [],
    ...given,
  };
}

/** A log that remembers its warnings. */
export function recordingLog(): Log & { warnings: string[] } {
  const warnings: string[] = [];
  return { ...silentLog, warnings, warn: (message) => void warnings.push(message) };
}

/** A worker on this host that is another process than ours, as far as anybody can tell. */
export function otherWorker(name = 'otherhost'): WorkerIdentity {
  return workerIdentity(name);
}
