import type { Application } from './application.ts';
import { findMembers, isWhole, type Member, until } from './members.ts';
import type { PostgresNode } from './node.ts';
import { connectTo } from './site.ts';

export type Way = 'kill -9' | 'network cut';

/** What happened when the primary was lost; `…AfterS` are seconds from then. */
export interface FailOver {
  way: Way;
  from: string;
  to: string;
  /** Tasks that were running at that moment. */
  running: number;
  /** Patroni says that another node leads. */
  leaderAfterS: number;
  /** The application had nothing acknowledged from then on, until here. */
  writesAfterS: number;
  /** The first task was finished at the new primary. */
  finishedAfterS: number;
  /** The old node was back as a standby, and all three in step. */
  wholeAfterS: number;
  startedAt: Date;
  endedAt: Date;
}

const runningCount = `select count(*)::int as count from tend.tasks where state = 'running'`;
const patienceMs = 60_000;

/** Waits until every node is in step, since a loss before that could be one too many; returns the leader. */
export async function untilWhole(nodes: readonly PostgresNode[]): Promise<PostgresNode> {
  const machines = nodes.map(({ machine }) => machine);
  return await until('a cluster in step', patienceMs, async () => {
    const members = await findMembers(machines);
    return isWhole(members, nodes.length) ? leaderOf(members, nodes) : undefined;
  });
}

/** Takes the primary away while tasks are running, waits for another, and brings it back. */
export async function failOver(
  nodes: readonly PostgresNode[],
  application: Application,
  way: Way,
): Promise<FailOver> {
  const old = await untilWhole(nodes);
  const running = await untilMidTick(old);
  const startedAt = new Date();
  const startedAtMs = performance.now();
  const since = () => (performance.now() - startedAtMs) / 1000;
  await takeAway(old, way);

  const others = nodes.filter((node) => node !== old);
  const next = await until('a new leader', patienceMs, async () =>
    leaderOf(await findMembers(others.map(({ machine }) => machine)), others),
  );
  const leaderAfterS = since();
  const acknowledgedAtMs = await until('an acknowledgement', patienceMs, async () =>
    firstAcknowledged(application, startedAtMs),
  );
  const finishedAfterMs = await firstFinished(next, startedAt);

  await bringBack(old, way);
  await untilWhole(nodes);
  return {
    ...{ way, from: old.machine.name, to: next.machine.name, running, leaderAfterS },
    writesAfterS: (acknowledgedAtMs - startedAtMs) / 1000,
    finishedAfterS: finishedAfterMs / 1000,
    wholeAfterS: since(),
    startedAt,
    endedAt: new Date(),
  };
}

/** The one of `nodes` that leads, by what Patroni says; undefined while it is none of them. */
function leaderOf(members: readonly Member[], nodes: readonly PostgresNode[]): PostgresNode | undefined {
  const leader = members.find(({ role, state }) => role === 'leader' && state === 'running');
  return nodes.find(({ machine }) => machine.name === leader?.name);
}

async function untilMidTick(node: PostgresNode): Promise<number> {
  const client = await connectTo(node.machine);
  try {
    return await until('three running tasks', patienceMs, async () => {
      const { rows } = await client.query<{ count: number }>(runningCount);
      const count = rows[0]?.count ?? 0;
      return count >= 3 ? count : undefined;
    });
  } finally {
    await client.end();
  }
}

async function takeAway(node: PostgresNode, way: Way): Promise<void> {
  if (way === 'kill -9') await node.kill();
  else await node.machine.unplug();
}

async function bringBack(node: PostgresNode, way: Way): Promise<void> {
  if (way === 'kill -9') node.startPatroni();
  else await node.machine.plugIn();
}

/** What the old primary still had under way has arrived by then, and no fail-over is that quick. */
const settledMs = 1000;

/** The first one that came from the new primary. */
function firstAcknowledged({ acknowledged }: Application, afterMs: number): number | undefined {
  for (const atMs of acknowledged.values()) if (atMs > afterMs + settledMs) return atMs;
  return undefined;
}

/** By the database's clock, which is that of this machine. */
async function firstFinished(node: PostgresNode, after: Date): Promise<number> {
  const client = await connectTo(node.machine);
  try {
    return await until('a finished task', patienceMs, async () => {
      const { rows } = await client.query<{ at: Date | null }>(
        'select min(finished_at) as at from tend.attempts where finished_at > $1',
        [new Date(after.getTime() + settledMs)],
      );
      const at = rows[0]?.at ?? undefined;
      return at === undefined ? undefined : at.getTime() - after.getTime();
    });
  } finally {
    await client.end();
  }
}
