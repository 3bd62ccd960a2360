import { formatAlignedTable } from '../../src/cli/format-table.ts';
import { countLost, type Outcome } from './guarantees.ts';
import type { Tick } from './tend-host.ts';

/** Nothing is cut. */
const width = 1000;

/** One line a fail-over, all times in seconds since the primary was lost. */
export function formatFailOvers({ failOvers, ticks }: Outcome): string {
  return formatAlignedTable({
    columns: [
      ...['primary lost by', 'from', 'to'],
      ...['running', 'leader', 'writes', 'finished', 'in step', 'ticks 0', 'ticks 69'].map(right),
    ],
    rows: failOvers.map((one) => {
      const during = ticks.filter((tick) => tick.startedAt < one.endedAt && tick.endedAt > one.startedAt);
      const seconds = [one.leaderAfterS, one.writesAfterS, one.finishedAfterS, one.wholeAfterS];
      return [
        ...[one.way, one.from, one.to, String(one.running)],
        ...seconds.map((value) => value.toFixed(1)),
        ...[0, 69].map((code) => String(during.filter(({ exitCode }) => exitCode === code).length)),
      ];
    }),
    width,
  }).join('\n');
}

/** One line a host of tend: what a lease longer or shorter than the fail-over makes of it. */
export async function formatHosts(
  { ticks, client }: Outcome,
  leases: Record<string, string>,
): Promise<string> {
  const { rows } = await client.query<{ host: string; attempts: string; lost: string }>(
    `select split_part(owner, ':', 1) as host, count(*) as attempts,
            count(*) filter (where outcome = 'lost') as lost from tend.attempts group by 1 order by 1`,
  );
  return formatAlignedTable({
    columns: ['host', 'lease', ...['ticks', 'longest', 'attempts', 'lost'].map(right)],
    rows: rows.map(({ host, attempts, lost }) => {
      const own = ticks.filter((tick) => tick.host === host);
      const longestS = Math.max(...own.map(lengthOf)) / 1000;
      return [host, leases[host] ?? '', String(own.length), longestS.toFixed(1), attempts, lost];
    }),
    width,
  }).join('\n');
}

export async function formatSummary({ application, client }: Outcome): Promise<string> {
  const { rows } = await client.query<{ tasks: number }>('select count(*)::int as tasks from tend.tasks');
  const { acknowledged, unknown } = application;
  return `${acknowledged.size} enqueues acknowledged, ${unknown.size} without an answer; ${rows[0]?.tasks} tasks, ${await countLost(client)} attempts lost`;
}

function right(title: string) {
  return { title, align: 'right' as const };
}

function lengthOf({ startedAt, endedAt }: Tick): number {
  return endedAt.getTime() - startedAt.getTime();
}
