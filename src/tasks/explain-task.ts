import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import { formatDuration } from '../duration.ts';
import { type ExplainRow, readExplainRow } from './explain-row.ts';
import { explainWaiting, type Reason } from './explain-waiting.ts';
import type { TaskState } from './states.ts';
import { describeOwner } from './worker-identity.ts';

export interface Explanation {
  id: number;
  kind: string;
  state: TaskState;
  willRun: boolean;
  reasons: Reason[];
}

/**
 * Why a task runs or does not: every reason, not only the first one, in the order in which a tick would meet them.
 * All ages are measured by the database's clock.
 *
 * @param options.knownKinds kinds this host can run.
 * @param options.hostLimit how many tasks may run on this host at once, where that is limited.
 * @throws TendError TASK_NOT_FOUND.
 */
export async function explainTask(options: {
  db: Kysely<Database>;
  id: number;
  knownKinds: readonly string[];
  host: string;
  hostLimit?: number | undefined;
}): Promise<Explanation> {
  const row = await readExplainRow(options);
  const reasons = row.state === 'waiting' ? explainWaiting(row, options) : [explainOther(row)];
  const { id, kind, state } = row;
  return { id, kind, state, willRun: reasons.every(({ blocks }) => !blocks), reasons };
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
