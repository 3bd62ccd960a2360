import { countOf } from '../../count-of.ts';
import { formatDuration } from '../../duration.ts';
import { formatBytes } from '../../format-bytes.ts';
import type { Status } from '../find-status.ts';
import { html, type Markup } from './markup.ts';

interface Tile {
  label: string;
  value: string;
  isBad?: boolean;
  note?: string;
}

/** What an operator looks for first, large. */
export function drawNumbers(status: Status): Markup {
  const tiles = [...taskTiles(status), ...backupTiles(status), ...mailTiles(status), connections(status)];
  return html`<dl class="numbers">${tiles.map(drawTile)}</dl>`;
}

function drawTile({ label, value, isBad = false, note }: Tile): Markup {
  const small = note === undefined ? undefined : html`<small>${note}</small>`;
  return html`<div><dt>${label}</dt><dd${isBad ? html` class="bad"` : undefined}>${value}${small}</dd></div>`;
}

function taskTiles({ hosts, tasks }: Status): Tile[] {
  const ages = hosts.flatMap(({ lastTickAgeMs }) => lastTickAgeMs ?? []);
  const { due, running, held, failedLastDay, oldestDueAgeMs } = tasks;
  return [
    {
      label: 'Last tick',
      value: ages.length === 0 ? 'never' : `${formatDuration(Math.min(...ages))} ago`,
      note: countOf(hosts.length, 'host'),
    },
    {
      ...{ label: 'Due', value: String(due) },
      note: oldestDueAgeMs === null ? `${running} running` : `for ${formatDuration(oldestDueAgeMs)}`,
    },
    { label: 'Held', value: String(held), isBad: held > 0, note: 'need a person' },
    { label: 'Failed', value: String(failedLastDay), isBad: failedLastDay > 0, note: 'in the last day' },
  ];
}

function backupTiles({ backups: { newest, lastGood, lastVerified } }: Status): Tile[] {
  const age = (mark: typeof lastGood) => (mark === null ? 'none' : `${formatDuration(mark.ageMs)} ago`);
  if (newest === null) return [];
  return [
    {
      ...{ label: 'Last good backup', value: age(lastGood), isBad: lastGood === null },
      note: formatBytes(newest.bytes),
    },
    { label: 'Last verified', value: age(lastVerified), isBad: lastVerified === null },
  ];
}

function mailTiles({ mail: { waiting, deferred, held, failingServers } }: Status): Tile[] {
  if (waiting + deferred + held + failingServers.length === 0) return [];
  const isBad = failingServers.length > 0 || held > 0;
  const note = `${deferred} deferred, ${held} held`;
  return [{ label: 'Mail waiting', value: String(waiting + deferred), isBad, note }];
}

function connections({ sessions: { total, maxConnections, ofTend } }: Status): Tile {
  const isBad = total > maxConnections * 0.8;
  return {
    ...{ label: 'Connections', value: `${total} of ${maxConnections}`, isBad },
    note: `${ofTend} of tend`,
  };
}
