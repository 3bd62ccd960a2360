import type { StatusThresholds } from '../config/monitor-section.ts';
import { formatDuration } from '../duration.ts';
import type { Status } from './find-status.ts';

/** What one threshold finds, and which sentence of view `tend.health` it replaces where it is set. */
interface Rule {
  replaces?: RegExp;
  findProblems(status: Status): (string | false)[];
}

/** The status with its problems judged by `[monitor.thresholds]`: see there for what replaces what. */
export function judgeStatus(status: Status, thresholds: StatusThresholds): Status {
  const rules = Object.values(rulesFor(thresholds)).filter((rule) => rule !== undefined);
  const kept = status.problems.filter((problem) => !rules.some(({ replaces }) => replaces?.test(problem)));
  const found = rules.flatMap((rule) => rule.findProblems(status)).filter((problem) => problem !== false);
  const problems = [...kept, ...found];
  return { ...status, problems, isOk: problems.length === 0 };
}

function rulesFor(limits: StatusThresholds): Record<string, Rule | undefined> {
  return { ...taskRules(limits), ...backupRules(limits), ...mailRules(limits), ...serverRules(limits) };
}

function taskRules({ tick_age, due_age, held, failed }: StatusThresholds): Record<string, Rule | undefined> {
  return {
    tickAge: ifSet(tick_age, /^no tick for /, ({ hosts }, limit) =>
      hosts.map(
        ({ host, lastTickAgeMs }) =>
          lastTickAgeMs !== null &&
          lastTickAgeMs > limit &&
          `no tick on host "${host}" for ${formatDuration(lastTickAgeMs)}`,
      ),
    ),
    dueAge: ifSet(due_age, /^a task is due since /, ({ tasks: { oldestDueAgeMs } }, limit) => [
      (oldestDueAgeMs ?? 0) > limit && `a task is due for ${formatDuration(oldestDueAgeMs ?? 0)}`,
    ]),
    held: ifSet(held, / held: a person must decide$/, ({ tasks }, limit) => [
      tasks.held > limit && `${tasks.held} held: a person must decide`,
    ]),
    failed: ifSet(failed, /^\d+ failed in the last day$/, ({ tasks }, limit) => [
      tasks.failedLastDay > limit && `${tasks.failedLastDay} failed in the last day`,
    ]),
  };
}

function backupRules({ backup_age, verify_age }: StatusThresholds): Record<string, Rule | undefined> {
  return {
    backupAge: ifSet(backup_age, undefined, ({ backups: { lastGood } }, limit) => [
      lastGood === null
        ? 'there is no good backup'
        : lastGood.ageMs > limit && `the newest good backup is ${formatDuration(lastGood.ageMs)} old`,
    ]),
    verifyAge: ifSet(verify_age, undefined, ({ backups: { lastVerified } }, limit) => [
      lastVerified === null
        ? 'no backup was ever verified'
        : lastVerified.ageMs > limit &&
          `the newest verified backup is ${formatDuration(lastVerified.ageMs)} old`,
    ]),
  };
}

function mailRules(limits: StatusThresholds): Record<string, Rule | undefined> {
  return {
    unknown: ifSet(limits.mail_unknown, undefined, ({ mail: { unknown } }, limit) => [
      unknown > limit && `${unknown} messages may or may not have been sent: a person must decide`,
    ]),
    deferred: ifSet(limits.mail_deferred, undefined, ({ mail: { deferred } }, limit) => [
      deferred > limit && `${deferred} messages are deferred`,
    ]),
    servers: ifSet(limits.mail_server_failing, undefined, ({ mail: { failingServers } }, limit) =>
      failingServers.map(
        ({ name, failingMs, reason }) =>
          failingMs > limit &&
          `mail server "${name}" fails for ${formatDuration(failingMs)}: ${reason ?? 'no reason given'}`,
      ),
    ),
  };
}

function serverRules(limits: StatusThresholds): Record<string, Rule | undefined> {
  return {
    catalogs: ifSet(limits.catalogs_failed, undefined, ({ translations: { failed } }, limit) => [
      failed.length > limit && `${failed.length} message catalogs are not well`,
    ]),
    connections: ifSet(
      limits.connection_share,
      undefined,
      ({ sessions: { total, maxConnections } }, limit) => [
        total * 100 > maxConnections * limit && `${total} of ${maxConnections} connections are taken`,
      ],
    ),
  };
}

function ifSet(
  limit: number | undefined,
  replaces: RegExp | undefined,
  find: (status: Status, limit: number) => (string | false)[],
): Rule | undefined {
  if (limit === undefined) return undefined;
  return { ...(replaces && { replaces }), findProblems: (status) => find(status, limit) };
}
