import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { formatDuration } from '../duration.ts';
import { taskNotFound } from './show-task.ts';
import type { TaskState } from './states.ts';
import { describeOwner } from './worker-identity.ts';

/** One thing that decides whether a task runs. */
export interface Reason {
  /** Stable name: `state`, `due`, `kind`, `host`, `mutex`, `lease`, `attempts`, `order`. */
  check: string;
  /** True where it keeps the task from running on this host now. */
  blocks: boolean;
  text: string;
}

export interface Explanation {
  id: number;
  kind: string;
  state: TaskState;
  willRun: boolean;
  reasons: Reason[];
}

interface ExplainRow {
  id: number;
  kind: string;
  state: TaskState;
  reason: string | null;
  host: string | null;
  mutex: string | null;
  attempt: number;
  max_attempts: number;
  lease_owner: string | null;
  last_error: string | null;
  is_cancel_requested: boolean;
  due_in_ms: number;
  lease_left_ms: number | null;
  started_ms_ago: number | null;
  ended_ms_ago: number | null;
  ahead: number;
  kind_is_registered: boolean;
  last_tick_ms_ago: number | null;
  holder: { id: number; kind: string; owner: string; for_ms: number } | null;
}

/**
 * Why a task runs or does not: every reason, not only the first one, in the order in which a tick would meet them.
 * All ages are measured by the database's clock.
 *
 * @param options.knownKinds kinds this host can run.
 * @throws TendError TASK_NOT_FOUND.
 */
export async function explainTask(options: {
  db: Kysely<Database>;
  id: number;
  knownKinds: readonly string[];
  host: string;
}): Promise<Explanation> {
  const row = await readRow(options.db, options.id);
  const reasons = row.state === 'waiting' ? explainWaiting(row, options) : [explainOther(row)];
  const { id, kind, state } = row;
  return { id, kind, state, willRun: reasons.every(({ blocks }) => !blocks), reasons };
}

async function readRow(db: Kysely<Database>, id: number): Promise<ExplainRow> {
  const { rows } = await sql<ExplainRow>`
    select t.id, t.kind, t.state, t.reason, t.host, t.mutex, t.attempt, t.max_attempts, t.lease_owner, t.last_error,
           t.cancel_requested_at is not null as is_cancel_requested,
           extract(epoch from t.run_at - now())::float8 * 1000 as due_in_ms,
           extract(epoch from t.lease_until - now())::float8 * 1000 as lease_left_ms,
           extract(epoch from now() - t.started_at)::float8 * 1000 as started_ms_ago,
           extract(epoch from now() - t.finished_at)::float8 * 1000 as ended_ms_ago,
           (select count(*) from tend.tasks o
             where o.state = 'waiting' and o.run_at <= now()
               and (o.priority, o.run_at, o.id) < (t.priority, t.run_at, t.id)) as ahead,
           exists (select from tend.kinds k where k.kind = t.kind) as kind_is_registered,
           (select extract(epoch from now() - max(last_tick_at))::float8 * 1000 from tend.hosts
             where t.host is null or host = t.host) as last_tick_ms_ago,
           (select jsonb_build_object('id', h.id, 'kind', h.kind, 'owner', h.lease_owner,
                     'for_ms', extract(epoch from now() - h.started_at)::float8 * 1000)
              from tend.tasks h where h.state = 'running' and h.mutex = t.mutex and h.id <> t.id) as holder
      from tend.tasks t where t.id = ${id}`.execute(db);
  const row = rows[0];
  if (row === undefined) throw taskNotFound(id);
  return row;
}

function explainWaiting(row: ExplainRow, here: { knownKinds: readonly string[]; host: string }): Reason[] {
  return [explainDue(row), explainKind(row, here), explainHost(row, here.host), explainMutex(row)]
    .concat(explainAttempts(row), explainOrder(row), explainTick(row))
    .filter((reason) => reason !== undefined);
}

function explainDue(row: ExplainRow): Reason {
  return row.due_in_ms > 0
    ? { check: 'due', blocks: true, text: `it is not due for another ${formatDuration(row.due_in_ms)}` }
    : { check: 'due', blocks: false, text: `it is due since ${formatDuration(-row.due_in_ms)}` };
}

function explainKind(row: ExplainRow, here: { knownKinds: readonly string[]; host: string }): Reason {
  if (here.knownKinds.includes(row.kind)) {
    return { check: 'kind', blocks: false, text: `kind "${row.kind}" is known on ${here.host}` };
  }
  const where = row.kind_is_registered ? `on ${here.host}, though another host registered it` : 'on any host';
  return {
    check: 'kind',
    blocks: true,
    text: `kind "${row.kind}" is not known ${where}: add [tasks.kinds.${row.kind}] to tend.toml, or cancel the task`,
  };
}

function explainHost(row: ExplainRow, host: string): Reason | undefined {
  if (row.host === null) return undefined;
  return row.host === host
    ? { check: 'host', blocks: false, text: `it is pinned to this host, ${host}` }
    : { check: 'host', blocks: true, text: `it is pinned to host "${row.host}", and this is "${host}"` };
}

function explainMutex(row: ExplainRow): Reason | undefined {
  if (row.mutex === null) return undefined;
  const { holder } = row;
  if (holder === null) return { check: 'mutex', blocks: false, text: `mutex "${row.mutex}" is free` };
  const who = `task ${holder.id} (${holder.kind}) on ${describeOwner(holder.owner)}`;
  return {
    check: 'mutex',
    blocks: true,
    text: `mutex "${row.mutex}" is held by ${who} since ${formatDuration(holder.for_ms)}`,
  };
}

function explainAttempts(row: ExplainRow): Reason | undefined {
  if (row.attempt === 0) return undefined;
  const failure = row.last_error === null ? '' : `; the last failed: ${row.last_error}`;
  return {
    check: 'attempts',
    blocks: false,
    text: `${row.attempt} of ${row.max_attempts} attempts are used${failure}`,
  };
}

function explainOrder(row: ExplainRow): Reason | undefined {
  if (row.ahead === 0) return undefined;
  return { check: 'order', blocks: false, text: `${row.ahead} due tasks come before it` };
}

/** A task nobody looks at is the failure this program exists for. */
function explainTick(row: ExplainRow): Reason | undefined {
  const where = row.host === null ? 'any host' : `host "${row.host}"`;
  if (row.last_tick_ms_ago === null) {
    return {
      check: 'tick',
      blocks: false,
      text: `no tick has ever run on ${where}: does cron call tend run-due-tasks?`,
    };
  }
  if (row.last_tick_ms_ago < 300_000) return undefined;
  const age = formatDuration(row.last_tick_ms_ago);
  return {
    check: 'tick',
    blocks: false,
    text: `no tick on ${where} for ${age}: does cron call tend run-due-tasks?`,
  };
}

function explainOther(row: ExplainRow): Reason {
  const because = row.reason === null ? '' : `: ${row.reason}`;
  if (row.state === 'running') return explainRunning(row);
  if (row.state === 'held') {
    const text = `it is held${because}; a person decides with: tend tasks resolve ${row.id}`;
    return { check: 'state', blocks: true, text };
  }
  const ago = formatDuration(row.ended_ms_ago ?? 0);
  const error = row.last_error === null ? '' : `; last error: ${row.last_error}`;
  const again = row.state === 'succeeded' ? '' : `; run it again with: tend tasks retry ${row.id}`;
  return {
    check: 'state',
    blocks: true,
    text: `it ${wasPast(row.state)} ${ago} ago${because}${error}${again}`,
  };
}

function wasPast(state: TaskState): string {
  return state === 'succeeded' || state === 'failed' ? state : `was ${state}`;
}

function explainRunning(row: ExplainRow): Reason {
  const left = row.lease_left_ms ?? 0;
  const lease =
    left > 0
      ? `its lease lasts another ${formatDuration(left)}`
      : `its lease ended ${formatDuration(-left)} ago, so the next tick takes it back`;
  const cancel = row.is_cancel_requested ? '; cancel was requested' : '';
  const worker = describeOwner(row.lease_owner ?? '');
  const since = formatDuration(row.started_ms_ago ?? 0);
  return {
    check: 'lease',
    blocks: true,
    text: `it is running on ${worker} since ${since}; ${lease}${cancel}`,
  };
}
