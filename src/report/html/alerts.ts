import { formatDuration } from '../../duration.ts';
import { type AlertState, nameAlert } from '../find-alerts.ts';
import type { Status } from '../find-status.ts';
import { cutText } from './cut-text.ts';
import { formatUtc } from './format-utc.ts';
import { html, type Markup } from './markup.ts';

/** How many are written out. */
const limit = 40;

/** What is broken, since when, and who was told: a card for each, the oldest first; nothing where all works. */
export function drawAlerts({ alerts }: Status): Markup | undefined {
  if (alerts.length === 0) return undefined;
  const rest = alerts.length - limit;
  const more = rest > 0 ? html`<p class="faint">and ${rest} more</p>` : undefined;
  return html`<h2>Broken</h2>
<div class="cards">${alerts.slice(0, limit).map(drawAlert)}</div>${more}`;
}

function drawAlert(alert: AlertState): Markup {
  const facts = factsOf(alert).map(([name, text]) => html`<dt>${name}</dt><dd>${cutText(text)}</dd>`);
  const look = alert.recoveredAt === null ? 'card alert' : 'card';
  return html`<section class="${look}"><h3>${cutText(nameAlert(alert))}</h3><dl class="facts">${facts}</dl></section>`;
}

type Fact = readonly [name: string, text: string];

function factsOf(alert: AlertState): Fact[] {
  const { brokenSince, brokenMs, recoveredAt, failures, lastFailedAt, lastTask, remindsAt } = alert;
  const reminder: Fact[] = remindsAt === null ? [] : [['Next reminder', formatUtc(remindsAt)]];
  return [
    recoveredAt === null
      ? ['Broken since', `${formatUtc(brokenSince)} (${formatDuration(brokenMs)})`]
      : ['Works since', `${formatUtc(recoveredAt)}; broke ${formatUtc(brokenSince)}`],
    ['Failures', String(failures)],
    ['Last task', `${lastTask}, failed ${formatUtc(lastFailedAt)}`],
    ['Told', describeTold(alert)],
    ...reminder,
  ];
}

function describeTold({ lastMailedAt, mailState, mailTask, mailProblem }: AlertState): string {
  if (lastMailedAt === null) return 'nobody';
  if (mailState === null || mailState === 'succeeded') return formatUtc(lastMailedAt);
  return `not yet: task ${mailTask} is ${mailState}${mailProblem === null ? '' : `: ${mailProblem}`}`;
}
