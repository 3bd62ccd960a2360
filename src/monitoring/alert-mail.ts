import { formatDuration } from '../duration.ts';
import { plainText } from '../plain-text.ts';
import { shellWord } from '../shell-word.ts';
import type { AlertAttempt, DueAlert } from './find-due-alerts.ts';

/** What is to be told: that it broke, still is broken, works again, or both at once; `settled` is a person's decision. */
export type AlertNews = 'broke' | 'still-broken' | 'recovered' | 'broke-and-recovered' | 'settled';

/** Whether there is nothing more to come after it. */
export function isOver(news: AlertNews): boolean {
  return news !== 'broke' && news !== 'still-broken';
}

const longestLog = 16_000;

/**
 * The payload of the `send-mail` task that tells of an alert. It quotes what the attempt has stored, which was redacted,
 * and never the payload of the task, which may be anything.
 */
export function alertMail(options: {
  to: readonly string[];
  alert: DueAlert;
  news: AlertNews;
}): Record<string, unknown> {
  const { to, alert, news } = options;
  return {
    to: [...to],
    subject: subjectOf(alert, news).replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' '),
    text: `${textOf(alert, news).toWellFormed()}\n`,
    // A crash in the middle of its sending must not leave it to a person, whom it is to tell.
    onUnknown: 'resend',
  };
}

function subjectOf(alert: DueAlert, news: AlertNews): string {
  const { schedule, host, attempts, database, brokenMs, failures } = alert;
  const name = schedule === '' ? alert.kind : `${alert.kind} (${schedule})`;
  const where = host === '' ? (attempts[0]?.worker.split(':')[0] ?? '') : host;
  const place = `${where === '' ? '' : ` on ${where}`} (database ${database})`;
  switch (news) {
    case 'broke':
      return alert.state === 'held'
        ? `${name} needs a person${place}`
        : `${name} failed${alert.isRelapse ? ' again' : ''}${place}`;
    case 'still-broken':
      return `${name} still fails, for ${formatDuration(brokenMs)}${place}`;
    case 'recovered':
      return `${name} works again after ${formatDuration(brokenMs)}${place}`;
    case 'settled':
      return `${name} is settled after ${formatDuration(brokenMs)}${place}`;
    case 'broke-and-recovered':
      return `${name} failed ${times(failures)} and works again${place}`;
  }
}

function textOf(alert: DueAlert, news: AlertNews): string {
  const isGood = isOver(news);
  const parts = [
    facts(alert, news),
    ...(news === 'recovered' || news === 'settled' ? [] : [lastError(alert), history(alert), log(alert)]),
    [...commands(alert, isGood), '', isGood ? 'That is all about it.' : whatFollows],
  ];
  return parts
    .map((lines) => lines.join('\n'))
    .filter((part) => part !== '')
    .join('\n\n');
}

const whatFollows =
  'While it is broken there is one reminder a day, and one message when it works again; other failures of it send none.';

function facts(alert: DueAlert, news: AlertNews): string[] {
  const { kind, schedule, host, database, taskId, state, reason, recoveredAt } = alert;
  const rows: [name: string, value: string][] = [
    ['Kind', kind],
    ['Schedule', schedule],
    ['Pinned to', host],
    ['Database', database],
    ['Last failure', `task ${taskId}${state === null ? ', deleted since' : describeState(state, reason)}`],
    [
      'Broken since',
      `${iso(alert.brokenSince)}${alert.isRelapse ? ', not a day after it had recovered' : ''}`,
    ],
    ['Failures', `${alert.failures}${isOver(news) ? '' : ' since then'}`],
    ['Works since', recoveredAt === null ? '' : iso(recoveredAt)],
    ['Was broken for', isOver(news) ? formatDuration(alert.brokenMs) : ''],
  ];
  return rows.filter(([, value]) => value !== '').map(([name, value]) => `${`${name}:`.padEnd(16)}${value}`);
}

/** One that has been tried again and succeeded failed all the same. */
function describeState(state: string, reason: string | null): string {
  return state === 'succeeded'
    ? ', which has succeeded since'
    : ` (${[state, reason].filter(Boolean).join(': ')})`;
}

function lastError({ error }: DueAlert): string[] {
  return error === null ? [] : ['Error:', indent(plainText(error))];
}

function history({ attempts }: DueAlert): string[] {
  return attempts.length === 0 ? [] : ['Attempts, the newest first:', ...attempts.map(describeAttempt)];
}

function describeAttempt({ attempt, startedAt, ms, outcome, worker, exitCode, error }: AlertAttempt): string {
  const exit = exitCode === null ? '' : `, exit code ${exitCode}`;
  const [line = ''] = plainText(error ?? '').split('\n');
  const why = line === '' ? '' : `: ${line.slice(0, 200)}`;
  return `  ${attempt}. ${startedAt} on ${worker}, ${formatDuration(ms)}, ${outcome}${exit}${why}`;
}

/** Its end: what was said last explains most. */
function log({ output, taskId }: DueAlert): string[] {
  const text = plainText(output ?? '').trimEnd();
  if (text === '') return [];
  const cut = text.length <= longestLog ? text : text.slice(text.indexOf('\n', text.length - longestLog) + 1);
  const rest = cut === text ? '' : ` (its end; all of it: tend tasks show ${taskId})`;
  return [`Log of the last attempt${rest}:`, indent(cut)];
}

function commands({ taskId, state, kind }: DueAlert, isGood: boolean): string[] {
  const all: [title: string, command: string | false][] = [
    ['Look further', state !== null && `tend tasks show ${taskId}`],
    ['Run it again', !isGood && state === 'failed' && `tend tasks retry ${taskId}`],
    ['Decide about it', !isGood && state === 'held' && `tend tasks resolve ${taskId}`],
    ['All of its kind', `tend tasks --kind ${shellWord(kind)} --since 1d`],
  ];
  return all.flatMap(([title, command]) =>
    command === false ? [] : [`${`${title}:`.padEnd(17)}${command}`],
  );
}

const indent = (text: string): string => text.replaceAll(/^/gm, '  ');
const iso = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z');
const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);
