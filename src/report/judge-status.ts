import type { StatusThresholds } from '../config/monitor-section.ts';
import type { Config } from '../config/schema.ts';
import { countOf } from '../count-of.ts';
import { formatDuration } from '../duration.ts';
import type { Status } from './find-status.ts';
import { isMissingBackup, judgeBackupAge, judgeVerifyAge } from './judge-backups.ts';

/** What one threshold finds, and which sentence of view `tend.health` it replaces where it is set. */
interface Rule {
  replaces?: RegExp;
  findProblems(status: Status): (string | false)[];
}

/** The status with its problems judged by the configuration: see `[monitor.thresholds]` for what replaces what. */
export function judgeStatus(status: Status, config: Pick<Config, 'backup' | 'monitor'>): Status {
  const { thresholds } = config.monitor;
  const rules = Object.values(rulesFor(thresholds)).filter((rule) => rule !== undefined);
  const kept = status.problems.filter((problem) => !rules.some(({ replaces }) => replaces?.test(problem)));
  const found = [backupAgeRule(config), ...rules].flatMap((rule) => rule.findProblems(status));
  const problems = [...kept, ...found.filter((problem) => problem !== false)];
  return { ...status, problems, isOk: problems.length === 0 };
}

/** That a schedule misses its last backup says enough, unless a limit is set. */
function backupAgeRule({ backup, monitor }: Pick<Config, 'backup' | 'monitor'>): Rule {
  const limitMs = monitor.thresholds.backup_age;
  const hasDirectory = backup.directory !== undefined;
  return {
    findProblems({ backups, problems }) {
      if (limitMs === undefined && problems.some((problem) => isMissingBackup(problem))) return [];
      return [judgeBackupAge({ backups, limitMs, hasDirectory }) ?? false];
    },
  };
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

function backupRules({ verify_age }: StatusThresholds): Record<string, Rule | undefined> {
  return {
    verifyAge: ifSet(verify_age, undefined, ({ backups: { lastVerified } }, limit) => [
      judgeVerifyAge(lastVerified, limit) ?? false,
    ]),
  };
}

function mailRules(limits: StatusThresholds): Record<string, Rule | undefined> {
  return {
    unknown: ifSet(limits.mail_unknown, undefined, ({ mail: { unknown } }, limit) => [
      unknown > limit && `${countOf(unknown, 'message')} may or may not have been sent: a person must decide`,
    ]),
    deferred: ifSet(limits.mail_deferred, undefined, ({ mail: { deferred } }, limit) => [
      deferred > limit && `${countOf(deferred, 'message')} ${deferred === 1 ? 'is' : 'are'} deferred`,
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
      failed.length > limit &&
        `${countOf(failed.length, 'message catalog')} ${failed.length === 1 ? 'is' : 'are'} not well`,
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
