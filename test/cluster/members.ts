import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import type { Machine } from './network.ts';

const answer = v.object({
  members: v.array(
    v.object({
      name: v.string(),
      role: v.string(),
      state: v.string(),
      timeline: v.optional(v.union([v.number(), v.string()])),
      lag: v.optional(v.union([v.number(), v.string()])),
    }),
  ),
});
export type Member = v.InferOutput<typeof answer>['members'][number];

/** What Patroni says of the nodes, asked of the first that answers; empty where none does. */
export async function findMembers(machines: readonly Machine[]): Promise<Member[]> {
  for (const { address } of machines) {
    try {
      const response = await fetch(`http://${address}:8008/cluster`, { signal: AbortSignal.timeout(1000) });
      return v.parse(answer, await response.json()).members;
    } catch {
      // Down, or cut off: the next one.
    }
  }
  return [];
}

/** Every node is there and on the leader's timeline, and one of them acknowledges commits. */
export function isWhole(members: readonly Member[], count: number): boolean {
  const leader = members.find(({ role }) => role === 'leader');
  return (
    members.length === count &&
    leader !== undefined &&
    members.some(({ role }) => role === 'sync_standby') &&
    members.every(
      ({ state, timeline, role }) =>
        ['running', 'streaming'].includes(state) &&
        timeline === leader.timeline &&
        ['leader', 'sync_standby', 'replica'].includes(role),
    )
  );
}

/** Looks until something holds, for a bounded time. */
export async function until<T>(
  what: string,
  limitMs: number,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const giveUpAtMs = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > giveUpAtMs) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await sleep(100);
  }
}
