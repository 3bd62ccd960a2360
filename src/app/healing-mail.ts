import { countOf } from '../count-of.ts';
import type { CheckHistory } from './check-history.ts';

/** What became of an application that failed its checks. */
export type HealingNews =
  | { kind: 'restarted'; because: string }
  | { kind: 'restart-failed'; because: string; error: string }
  | { kind: 'given-up'; history: CheckHistory; error: string }
  | { kind: 'recovered'; history: CheckHistory };

/** The payload of a `send-mail` task that tells it: what happened, since when, and what to do. */
export function healingMail(options: {
  host: string;
  to: readonly string[];
  news: HealingNews;
}): Record<string, unknown> {
  const { host, to, news } = options;
  const { subject, lines } = describe(news);
  return { to: [...to], subject: `${subject} on ${host}`, text: `${lines.join('\n')}\n` };
}

function describe(news: HealingNews): { subject: string; lines: string[] } {
  switch (news.kind) {
    case 'restarted':
      return {
        subject: 'Application restarted',
        lines: [`It was restarted because of ${news.because}`, 'Since then it passes its check.'],
      };
    case 'restart-failed':
      return {
        subject: 'Application NOT healthy after a restart',
        lines: [
          `It was restarted because of ${news.because}`,
          `The restart did not help: ${news.error}`,
          'Checks go on: tend tasks --kind check-app',
        ],
      };
    case 'given-up':
      return {
        subject: 'Application down, a person must act',
        lines: [
          `Checks fail${since(news.history)}, and ${countOf(news.history.restarts, 'restart')} did not help.`,
          `The last check: ${news.error}`,
          'It is not restarted again by itself. When it is healthy, there is one more message.',
          'By hand: tend app restart, tend app check',
        ],
      };
    case 'recovered':
      return {
        subject: 'Application healthy again',
        lines: [`It passes its check again. Checks failed${since(news.history)}.`],
      };
  }
}

function since({ failingSince }: CheckHistory): string {
  return failingSince === null ? '' : ` since ${failingSince.toISOString()}`;
}
