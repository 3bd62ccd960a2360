import { translateDatabaseError } from '../../database/translate-database-error.ts';
import type { DoctorCheck, DoctorFacts, Finding, FindingStatus } from './doctor-check.ts';

export interface NamedFinding {
  name: string;
  status: FindingStatus;
  text: string;
  fix: string | null;
}

export interface DoctorReport {
  isOk: boolean;
  /** Worst first. */
  checks: NamedFinding[];
  /** Names of checks that could not be made, since one that they build upon failed. */
  skipped: string[];
}

const order: readonly FindingStatus[] = ['fail', 'warn', 'ok'];

/** Makes one check after the other, in the order given: at most one session is open. */
export async function runChecks(options: {
  checks: readonly DoctorCheck[];
  facts: DoctorFacts;
}): Promise<DoctorReport> {
  const { checks, facts } = options;
  const findings: NamedFinding[] = [];
  const skipped: string[] = [];
  const hasFailed = (name: string) =>
    skipped.includes(name) || findings.some((one) => one.name === name && one.status === 'fail');
  for (const { name, needs, run } of checks) {
    if (needs !== undefined && hasFailed(needs)) {
      skipped.push(name);
      continue;
    }
    facts.signal.throwIfAborted();
    const { fix = null, ...finding } = await findOrFail(run, facts);
    findings.push({ name, ...finding, fix });
  }
  return {
    isOk: findings.every(({ status }) => status === 'ok'),
    checks: findings.toSorted((left, right) => order.indexOf(left.status) - order.indexOf(right.status)),
    skipped,
  };
}

/** What stands in the way of a check is what it has found; a bug of ours is not. */
async function findOrFail(run: DoctorCheck['run'], facts: DoctorFacts): Promise<Finding> {
  try {
    return await run(facts);
  } catch (thrown) {
    facts.signal.throwIfAborted();
    const error = translateDatabaseError(thrown);
    if (error === undefined) throw thrown;
    return { status: 'fail', text: error.message, fix: error.hint };
  }
}
