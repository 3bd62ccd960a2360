import { countOf } from '../count-of.ts';
import { formatDuration } from '../duration.ts';
import type { TendError } from '../errors.ts';
import { formatBytes } from '../format-bytes.ts';
import { type AlertState, nameAlert } from '../report/find-alerts.ts';
import { findScheduleProblem } from '../report/find-schedule-states.ts';
import type { Status } from '../report/find-status.ts';
import { oneLine } from './format-table.ts';
import type { Output } from './output.ts';
import { sparkline } from './sparkline.ts';
import { formatTime } from './task-table.ts';

/** The status in one line, for a monitor: the problems, or a sign of life. */
export function summariseStatus({ isOk, problems, hosts, tasks }: Status): string {
  if (!isOk) return oneLine(`problem: ${problems.join('; ')}`);
  const ages = hosts.flatMap(({ lastTickAgeMs }) => lastTickAgeMs ?? []);
  const lastTick = ages.length === 0 ? '' : `, last tick ${formatDuration(Math.min(...ages))} ago`;
  return `ok: ${countOf(hosts.length, 'host')}${lastTick}, ${tasks.due} due, ${tasks.running} running`;
}

/** The same where there is no status to be had: that the database is down is a problem, too. */
export function summariseFailure({ message }: TendError): string {
  return oneLine(`problem: ${message}`);
}

/** One screen: what is wrong comes first. Sections without a row are left out. */
export function printStatus(status: Status, output: Output): void {
  const { database, isOk, problems } = status;
  const verdict = isOk
    ? output.paint('green', 'ok')
    : output.paint('red', countOf(problems.length, 'problem'));
  output.print(`Database "${database}": ${verdict}`);
  for (const problem of problems) output.print(`  ${oneLine(problem)}`);
  for (const { columns, rows } of [
    tasks(status),
    alerts(status),
    hosts(status),
    schedules(status),
    pauses(status),
    backups(status, output.isTerminal),
    mail(status),
    mailServers(status),
    catalogs(status),
    sessions(status),
  ]) {
    if (rows.length === 0) continue;
    output.print('');
    output.table(columns, rows);
  }
}

interface Section {
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}

function tasks({ tasks: counts }: Status): Section {
  const { due, running, held, failedLastDay, missedLastDay, oldestDueAgeMs } = counts;
  return {
    columns: ['DUE', 'RUNNING', 'HELD', 'FAILED (1D)', 'MISSED (1D)', 'OLDEST DUE'],
    rows: [
      [
        ...[due, running, held, failedLastDay, missedLastDay].map(String),
        oldestDueAgeMs === null ? '' : formatDuration(oldestDueAgeMs),
      ],
    ],
  };
}

function alerts(status: Status): Section {
  return {
    columns: ['BROKEN', 'SINCE', 'FOR', 'FAILURES', 'LAST TASK', 'TOLD'],
    rows: status.alerts.map(({ brokenSince, brokenMs, recoveredAt, failures, lastTask, ...alert }) => [
      ...[nameAlert(alert), formatTime(brokenSince)],
      recoveredAt === null ? formatDuration(brokenMs) : `works since ${formatTime(recoveredAt)}`,
      ...[String(failures), String(lastTask)],
      describeTold(alert),
    ]),
  };
}

function describeTold({
  lastMailedAt,
  mailState,
  mailTask,
}: Pick<AlertState, 'lastMailedAt' | 'mailState' | 'mailTask'>): string {
  if (lastMailedAt === null) return 'no';
  if (mailState === null || mailState === 'succeeded') return formatTime(lastMailedAt);
  return `no: task ${mailTask} is ${mailState}`;
}

function hosts(status: Status): Section {
  return {
    columns: ['HOST', 'LAST TICK', 'AGO', 'RUNNING', 'LAST BUSY', 'OUTCOME'],
    rows: status.hosts.map(({ host, lastTickAt, lastTickAgeMs, running, lastBusyAt, lastOutcome }) => [
      ...[host, lastTickAt === null ? 'never' : formatTime(lastTickAt)],
      ...[lastTickAgeMs === null ? '' : formatDuration(lastTickAgeMs), String(running)],
      ...[formatTime(lastBusyAt), lastOutcome ?? ''],
    ]),
  };
}

function schedules(status: Status): Section {
  return {
    columns: ['SCHEDULE', 'KIND', 'NEXT', 'LAST', 'LAST TASK', 'NOTE'],
    rows: status.schedules.map((schedule) => {
      const { name, kind, nextSlot, lastSlot, lastTask, lastState, isEnabled, disabledReason } = schedule;
      const disabled = disabledReason === null ? 'disabled' : `disabled: ${disabledReason}`;
      return [
        ...[name, kind, formatTime(nextSlot), formatTime(lastSlot)],
        lastTask === null ? '' : `${lastTask} ${lastState}`,
        isEnabled ? (findScheduleProblem(schedule) ?? '') : disabled,
      ];
    }),
  };
}

function pauses(status: Status): Section {
  return {
    columns: ['PAUSED', 'NAME', 'SINCE', 'BY', 'DUE', 'REASON'],
    rows: status.pauses.map(({ scope, name, pausedAt, pausedBy, due, reason }) => [
      ...[scope, name, formatTime(pausedAt), pausedBy, String(due), reason ?? ''],
    ]),
  };
}

function backups({ backups: { count, newest, ...rest } }: Status, isTerminal: boolean): Section {
  const columns = ['BACKUPS', 'NEWEST', 'AGO', 'SIZE', 'VERIFIED', 'RESTORE TEST', 'RESTORING TAKES'];
  const titles = [...columns, 'LAST GOOD', 'LAST VERIFIED', ...(isTerminal ? ['SIZES'] : [])];
  if (newest === null) return { columns: titles, rows: [] };
  const { lastGood, lastVerified, lastRestoreTest, recoveryMs, sizes } = rest;
  const { id, ageMs, bytes, verifiedAgeMs, verifiedBy, verifyError } = newest;
  const verified = verifiedAgeMs === null ? 'no' : `${formatDuration(verifiedAgeMs)} ago by ${verifiedBy}`;
  return {
    columns: titles,
    rows: [
      [
        ...[String(count), id, formatDuration(ageMs), formatBytes(bytes)],
        verifyError === null ? verified : 'not good',
        lastRestoreTest === null ? 'never' : `${formatDuration(lastRestoreTest.ageMs)} ago`,
        recoveryMs === null ? 'not known' : `about ${formatDuration(recoveryMs)}`,
        ...[lastGood, lastVerified].map((mark) => (mark === null ? 'none' : mark.id)),
        ...(isTerminal ? [sparkline(sizes)] : []),
      ],
    ],
  };
}

function mail({ mail: { waiting, deferred, held, unknown } }: Status): Section {
  const counts = [waiting, deferred, held, unknown];
  return {
    columns: ['MAIL WAITING', 'DEFERRED', 'HELD', 'UNKNOWN'],
    rows: counts.some((count) => count > 0) ? [counts.map(String)] : [],
  };
}

function mailServers({ mail: { failingServers } }: Status): Section {
  return {
    columns: ['FAILING SERVER', 'SINCE', 'FAILURES', 'NEXT TRY', 'REASON'],
    rows: failingServers.map(({ name, failingSince, failures, retryAt, reason }) => [
      ...[name, formatTime(failingSince), String(failures), formatTime(retryAt), reason ?? ''],
    ]),
  };
}

function catalogs({ translations: { failed } }: Status): Section {
  return {
    columns: ['FAILED CATALOG', 'HOST', 'CHECKED', 'WHY'],
    rows: failed.map(({ path, host, checkedAt, message }) => [
      ...[path, host, formatTime(checkedAt), message ?? ''],
    ]),
  };
}

function sessions({ sessions: { ofTend, total, maxConnections } }: Status): Section {
  const share = maxConnections === 0 ? '' : `${Math.round((total / maxConnections) * 100)}%`;
  return {
    columns: ['SESSIONS OF TEND', 'OF ALL', 'MAX_CONNECTIONS', 'TAKEN'],
    rows: [[...[ofTend, total, maxConnections].map(String), share]],
  };
}
