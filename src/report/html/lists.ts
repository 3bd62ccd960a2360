import { formatDuration } from '../../duration.ts';
import { findScheduleProblem } from '../find-schedule-states.ts';
import type { Status } from '../find-status.ts';
import { formatUtc } from './format-utc.ts';
import { html, type Markup } from './markup.ts';
import { drawTable, type TableOptions } from './table.ts';

/** What is known row by row: hosts, schedules, pauses, mail servers, catalogs. Empty lists are left out. */
export function drawLists(status: Status): Markup {
  const lists = [hosts(status), schedules(status), pauses(status), mailServers(status), catalogs(status)];
  return html`<div class="cards">${lists
    .filter(({ rows }) => rows.length > 0)
    .map(
      (list) => html`<section class="card wide"><h3>${list.label}</h3>${drawTable(list)}</section>`,
    )}</div>`;
}

function hosts(status: Status): TableOptions {
  return {
    label: 'Hosts',
    columns: ['Host', 'Last tick', '#Ago', '#Running', 'Last busy', 'Outcome'],
    rows: status.hosts.map(({ host, lastTickAt, lastTickAgeMs, running, lastBusyAt, lastOutcome }) => [
      ...[host, lastTickAt === null ? 'never' : formatUtc(lastTickAt)],
      ...[lastTickAgeMs === null ? '' : formatDuration(lastTickAgeMs), String(running)],
      ...[formatUtc(lastBusyAt), lastOutcome ?? ''],
    ]),
  };
}

function schedules(status: Status): TableOptions {
  return {
    label: 'Schedules',
    columns: ['Schedule', 'Kind', 'Last', 'Last task', 'Next', 'Note'],
    rows: status.schedules.map((schedule) => [
      ...[schedule.name, schedule.kind, formatUtc(schedule.lastSlot)],
      schedule.lastTask === null ? '' : `${schedule.lastTask} ${schedule.lastState}`,
      formatUtc(schedule.nextSlot),
      schedule.isEnabled
        ? (findScheduleProblem(schedule) ?? '')
        : `disabled${schedule.disabledReason === null ? '' : `: ${schedule.disabledReason}`}`,
    ]),
  };
}

function pauses(status: Status): TableOptions {
  return {
    label: 'Paused',
    columns: ['What', 'Name', 'Since', 'By', '#Due', 'Reason'],
    rows: status.pauses.map(({ scope, name, pausedAt, pausedBy, due, reason }) => [
      ...[scope, name, formatUtc(pausedAt), pausedBy, String(due), reason ?? ''],
    ]),
  };
}

function mailServers({ mail: { failingServers } }: Status): TableOptions {
  return {
    label: 'Mail servers that fail',
    columns: ['Server', 'Since', '#Failures', 'Next try', 'Reason'],
    rows: failingServers.map(({ name, failingSince, failures, retryAt, reason }) => [
      ...[name, formatUtc(failingSince), String(failures), formatUtc(retryAt), reason ?? ''],
    ]),
  };
}

function catalogs({ translations: { failed } }: Status): TableOptions {
  return {
    label: 'Message catalogs that failed',
    columns: ['Catalog', 'Host', 'Checked', 'Why'],
    rows: failed.map(({ path, host, checkedAt, message }) => [
      ...[path, host, formatUtc(checkedAt), message ?? ''],
    ]),
  };
}
