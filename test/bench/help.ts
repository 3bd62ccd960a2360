import type { Bench } from './bench.ts';
import { measureInTurn, toMeasurement } from './measure-in-turn.ts';
import { bareNode, tend } from './programs.ts';
import { type BenchResult, ratioClaim } from './results.ts';
import { compare } from './statistics.ts';

/** How long a person waits for the list of commands. */
export async function help(bench: Bench): Promise<BenchResult> {
  const queue = await bench.createDatabase('help', { isMigrated: true });
  const costs = await measureInTurn(
    { node: bareNode(bench), help: tend(bench, queue, '--help') },
    bench.pairs,
  );
  return {
    title: 'Help',
    method: '`node -e 0` and `tend --help` run in turn.',
    claims: [
      ratioClaim(
        'wall of `tend --help` ÷ `node -e 0`',
        'at most 5',
        compare(costs.help.wallMs, costs.node.wallMs),
      ),
    ],
    measurements: [toMeasurement('`node -e 0`', costs.node), toMeasurement('`tend --help`', costs.help)],
  };
}
