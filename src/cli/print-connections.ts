import type { Blocker } from '../activity/find-blockers.ts';
import type { Connections, Exhauster } from '../activity/find-connections.ts';
import { countOf } from '../count-of.ts';
import { formatDuration } from '../duration.ts';
import { oneLine } from './format-table.ts';
import type { Output } from './output.ts';

/** Sessions named one by one, at most. */
const shown = 20;
const right = (title: string) => ({ title, align: 'right' as const });

/** `tend connections`. Piped it is the table of groups alone, tab-separated; the rest is under `--json`. */
export function printConnections(connections: Connections, staleMs: number, output: Output): void {
  const { groups, hidden } = connections;
  if (output.isTerminal) printShare(connections, output);
  output.table(
    [
      ...['APPLICATION', 'USER', 'DATABASE', 'CLIENT', 'STATE'],
      ...['COUNT', 'OLDEST', 'OLDEST TRANSACTION', 'STALE'].map(right),
    ],
    groups.map((group) => [
      ...[group.application || '(no name)', group.user, group.database],
      ...[group.client ?? '(hidden)', group.state ?? '(hidden)', String(group.count)],
      ...[age(group.oldestMs), age(group.oldestTransactionMs), group.stale > 0 ? String(group.stale) : ''],
    ]),
  );
  if (hidden > 0)
    output.warn(
      `state, client and ages of ${countOf(hidden, 'session')} are hidden from this role, and so is whether they are stale; as a superuser: grant pg_read_all_stats to it`,
    );
  if (!output.isTerminal) return;
  printStale(connections, staleMs, output);
  for (const blocker of connections.blockers) printBlocker(blocker, 0, output);
}

function printShare({ used, available, reserved, usedPercent, couldExhaust }: Connections, output: Output) {
  const color = usedPercent >= 90 ? 'red' : usedPercent >= 70 ? 'yellow' : 'green';
  const share = output.paint(color, `${used} of ${available} sessions are in use (${usedPercent} %)`);
  output.print(`${share}; ${reserved} more are kept for superusers.`);
  if (couldExhaust.length > 0)
    output.print(`Could take the rest: ${oneLine(couldExhaust.map(describeExhauster).join(', '))}.`);
}

function describeExhauster({ user, sessions, limit }: Exhauster): string {
  return `${user} (has ${sessions}, ${limit === null ? 'no limit' : `limit ${limit}`})`;
}

function printStale({ stale }: Connections, staleMs: number, output: Output): void {
  if (stale.length === 0) return;
  output.print(`Stale for ${formatDuration(staleMs)} or longer (tend connections terminate PID):`);
  for (const { pid, application, user, state, stateAgeMs } of stale.slice(0, shown))
    output.print(
      oneLine(`  ${pid}  ${application || '(no name)'}  user ${user}  ${state ?? ''} for ${age(stateAgeMs)}`),
    );
  if (stale.length > shown) output.print(`  and ${stale.length - shown} more (--json)`);
}

function printBlocker(
  { pid, application, user, state, blocks, transactionAgeMs }: Blocker,
  depth: number,
  output: Output,
) {
  const since = transactionAgeMs === null ? '' : `, in its transaction for ${age(transactionAgeMs)}`;
  const who = `${pid}  ${application || '(no name)'}  user ${user}, ${state ?? '(hidden)'}${since}`;
  output.print(oneLine(depth === 0 ? `Blocks others: ${who}` : `${'  '.repeat(depth)}waits: ${who}`));
  for (const blocked of blocks) printBlocker(blocked, depth + 1, output);
}

function age(ms: number | null): string {
  return ms === null ? '' : formatDuration(Math.max(0, ms));
}
