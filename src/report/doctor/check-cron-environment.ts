import { describeTickCall } from '../../crontab/describe-tick-call.ts';
import { findCallers } from '../../crontab/find-callers.ts';
import { printedTickLine } from '../../crontab/printed-tick-line.ts';
import type { CronTrouble } from './compare-surroundings.ts';
import type { DoctorCheck, Finding } from './doctor-check.ts';
import { tryTickLine } from './try-tick-line.ts';

/**
 * The line that cron calls, or else the one that it would, works with what cron gives: Node, tend.toml, variables,
 * database, programs. It is run as cron runs it, but with `config validate --environment` in place of a tick, which
 * connects to nothing.
 */
export const checkCronEnvironment: DoctorCheck = {
  name: 'cron-environment',
  needs: 'configuration',
  async run(facts) {
    const { loadedConfig, program } = facts;
    const { configPath } = loadedConfig;
    if (configPath === undefined)
      return { status: 'ok', text: 'there is no tend.toml that a line of a crontab could name' };
    const { lines, unit, hasCron } = await findCallers({ ...facts, ...program, configPath });
    if (lines.length === 0 && unit !== undefined)
      return { status: 'ok', text: `no crontab calls tend here; ${unit} has an environment of its own` };
    if (lines.length === 0 && !hasCron) return { status: 'ok', text: 'there is no cron on this host' };
    const printed = () => printedTickLine(describeTickCall({ loadedConfig, choices: {}, ...program }));
    const tried = lines.length > 0 ? lines : [printed()];
    const troubles: CronTrouble[] = [];
    for (const line of tried) {
      const found = await tryTickLine(facts, line);
      const [first] = found.toSorted(worstFirst);
      if (first === undefined) continue;
      const unique = (texts: string[]) => [...new Set(texts)].join('; ');
      troubles.push({
        status: first.status,
        text: `${line.place}: ${unique(found.map(({ text }) => text))}`,
        fix: unique(found.map(({ fix }) => fix)),
      });
    }
    return findingOf(troubles, tried.map(({ place }) => place).join(', '));
  },
};

function findingOf(troubles: readonly CronTrouble[], places: string): Finding {
  const [first] = troubles.toSorted(worstFirst);
  if (first === undefined) return { status: 'ok', text: `works with what cron gives: ${places}` };
  return { ...first, text: troubles.map(({ text }) => text).join('; ') };
}

function worstFirst(left: CronTrouble, right: CronTrouble): number {
  return left.status.localeCompare(right.status);
}
