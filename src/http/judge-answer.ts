import { STATUS_CODES } from 'node:http';
import { placeOf, writeHttpPlace } from '../config/http-place.ts';
import { TendError } from '../errors.ts';
import type { ServiceAnswer } from './call-service.ts';
import { isExpected } from './expected-status.ts';
import type { HttpRequest } from './http-request.ts';
import { retryAfterMs } from './retry-after.ts';

export interface JudgeAnswerOptions {
  answer: ServiceAnswer;
  expect: HttpRequest['expect'];
  now: Date;
  /** Removes secrets: services quote what they were sent. */
  redact(text: string): string;
}

/** Statuses by which a service says that the same request may succeed later; all of 5xx do too. */
const temporary = new Set([408, 425, 429]);
const quotedLength = 200;

/**
 * Throws unless the status is one that was expected: what is worth another attempt, and what is not.
 *
 * @throws TendError HTTP_STATUS_TEMPORARY for 408, 425, 429 and 5xx, with the delay that Retry-After asks for;
 *   HTTP_STATUS_UNEXPECTED, permanent, for all others. Both quote how the answer begins.
 */
export function judgeAnswer({ answer, expect, now, redact }: JudgeAnswerOptions): void {
  const { status, headers, url, body } = answer;
  if (isExpected(status, expect)) return;
  const name = STATUS_CODES[status] === undefined ? '' : ` ${STATUS_CODES[status]}`;
  const words = redact(body.beginning)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, quotedLength);
  const message = `"${writeHttpPlace(placeOf(url))}" answered ${status}${name}${words === '' ? '.' : `: ${words}`}`;
  if (status < 500 && !temporary.has(status)) {
    throw new TendError('HTTP_STATUS_UNEXPECTED', message, { isPermanent: true });
  }
  const delayMs = retryAfterMs({ retryAfter: headers['retry-after'], date: headers.date, now });
  throw new TendError(
    'HTTP_STATUS_TEMPORARY',
    message,
    delayMs === undefined ? {} : { retryAfterMs: delayMs },
  );
}
