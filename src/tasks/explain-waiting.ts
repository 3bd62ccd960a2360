import { formatDuration } from '../duration.ts';
import type { ExplainRow } from './explain-row.ts';
import { resumeCommand } from './pause-tasks.ts';
import { describeOwner } from './worker-identity.ts';

/** One thing that decides whether a task runs. */
export interface Reason {
  /**
   * Stable name: `copy`, `state`, `due`, `kind`, `paused`, `host`, `mutex`, `limit`, `lease`, `attempts`, `order`, `tick`,
   * `schedule`.
   */
  check: string;
  /** True where it keeps the task from running on this host now. */
  blocks: boolean;
  text: string;
}

/** Who asks: a host, with what it can and may run. */
export interface Here {
  knownKinds: readonly string[];
  host: string;
  hostLimit?: number | undefined;
}

/** What decides whether a waiting task is claimed, in the order in which a tick would meet it. */
export function explainWaiting(row: ExplainRow, here: Here): Reason[] {
  return [explainCopy(row), explainDue(row), explainKind(row, here)]
    .concat(explainPauses(row), explainHost(row, here.host), explainMutex(row))
    .concat(explainLimit(row), explainHostLimit(row, here))
    .concat(explainAttempts(row), explainOrder(row), explainTick(row), explainSchedule(row))
    .filter((reason) => reason !== undefined);
}

function explainCopy({ copied_from }: ExplainRow): Reason | undefined {
  if (copied_from === null) return undefined;
  const text = `this database is a copy, and its queue that of ${copied_from}: no tick runs here until: tend doctor --adopt`;
  return { check: 'copy', blocks: true, text };
}

function explainPauses({ pauses }: ExplainRow): Reason[] {
  return pauses.map(({ scope, name, reason, paused_by, for_ms }) => {
    const why = reason === null ? '' : ` (${reason})`;
    const since = `since ${formatDuration(for_ms)} by ${paused_by}${why}`;
    const text = `${scope} "${name}" is paused ${since}: ${resumeCommand({ scope, name })}`;
    return { check: 'paused', blocks: true, text };
  });
}

function explainLimit({ kind, max_running, running_of_kind }: ExplainRow): Reason | undefined {
  if (max_running === null) return undefined;
  const text = `${running_of_kind} of at most ${max_running} of kind "${kind}" run ([tasks.limits])`;
  return { check: 'limit', blocks: running_of_kind >= max_running, text };
}

function explainHostLimit({ running_here }: ExplainRow, { host, hostLimit }: Here): Reason | undefined {
  if (hostLimit === undefined) return undefined;
  const text = `${running_here} of at most ${hostLimit} run on ${host} ([tasks] max_running)`;
  return { check: 'limit', blocks: running_here >= hostLimit, text };
}

function explainSchedule({ schedule, slot_at }: ExplainRow): Reason | undefined {
  if (schedule === null) return undefined;
  const which = slot_at === null ? 'was triggered by hand' : `is its occurrence of ${slot_at.toISOString()}`;
  return { check: 'schedule', blocks: false, text: `schedule "${schedule}" enqueued it: it ${which}` };
}

function explainDue(row: ExplainRow): Reason {
  return row.due_in_ms > 0
    ? { check: 'due', blocks: true, text: `it is not due for another ${formatDuration(row.due_in_ms)}` }
    : { check: 'due', blocks: false, text: `it is due since ${formatDuration(-row.due_in_ms)}` };
}

function explainKind(row: ExplainRow, here: Here): Reason {
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
