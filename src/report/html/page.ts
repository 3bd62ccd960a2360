import { countOf } from '../../count-of.ts';
import type { Status } from '../find-status.ts';
import type { History } from '../history/find-history.ts';
import { drawAlerts } from './alerts.ts';
import { drawBackups } from './backup-figures.ts';
import { drawScheduleCalendar } from './calendar-figure.ts';
import { drawConnections } from './connection-figure.ts';
import { cutText } from './cut-text.ts';
import { formatUtc } from './format-utc.ts';
import { drawLists } from './lists.ts';
import { drawMail } from './mail-figure.ts';
import { html, type Markup, printMarkup } from './markup.ts';
import { drawNumbers } from './numbers.ts';
import { styles } from './styles.ts';
import { drawDurations, drawOutcomes } from './task-figures.ts';

/** What the policy allows is what the page has: its own style sheet, and nothing from anywhere. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** How many problems are written out. */
const problemLimit = 40;

/**
 * The status as one page that needs nothing else: no script, no font, no image. Problems come first. Its size is bounded, whatever
 * the database holds: texts are cut, lists end and are counted.
 */
export function drawPage({ status, history }: { status: Status; history: History }): string {
  const { database, checkedAt } = status;
  const title = `${status.isOk ? 'ok' : countOf(status.problems.length, 'problem')}: ${cutText(database)}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>`;
  const body = html`</style>
</head>
<body>
<header><h1>${cutText(database)}</h1><p class="faint">as of ${formatUtc(checkedAt)}; all times are UTC</p></header>
<main>
${drawVerdict(status)}
${drawNumbers(status)}
${drawAlerts(status)}
<h2>Trends</h2>
<div class="cards">${drawFigures(status, history)}</div>
<h2>Details</h2>
${drawLists(status)}
</main>
<footer>Written by <code>tend status --html</code>. It does not change by itself: look at its time.</footer>
</body>
</html>
`;
  return printMarkup(page) + styles + printMarkup(body);
}

function drawVerdict({ isOk, problems }: Status): Markup {
  if (isOk) return html`<div class="verdict"><strong>All is well.</strong></div>`;
  const items = problems.slice(0, problemLimit).map((problem) => html`<li>${cutText(problem, 300)}</li>`);
  const more = problems.length - items.length;
  const rest = more > 0 ? html`<li>and ${more} more</li>` : undefined;
  return html`<div class="verdict bad"><strong>${countOf(problems.length, 'problem')}</strong><ul>${items}${rest}</ul></div>`;
}

function drawFigures(status: Status, history: History): Markup {
  const { outcomes, durations, backups, connections, mail, occurrences } = history;
  const { checkedAt: now, schedules, sessions } = status;
  const hasMail = mail.some((day) => day.sent + day.partlySent + day.refused + day.unknown > 0);
  return html`${drawOutcomes(outcomes)}${drawScheduleCalendar({ now, schedules, past: occurrences })}${
    connections && drawConnections(connections, sessions.maxConnections)
  }${drawBackups(backups)}${hasMail ? drawMail(mail) : undefined}${durations.map(drawDurations)}`;
}
