import type { SecretRegistry } from '../redact.ts';
import type { ServiceAnswer } from './call-service.ts';
import type { HttpMethod } from './http-request.ts';
import type { ReadBody } from './read-body.ts';

/** What an attempt leaves behind, without a secret. */
export interface HttpEvidence {
  status: number;
  method: HttpMethod;
  url: string;
  /** Where each redirect led, and by which status. */
  redirects: { status: number; url: string }[];
  durationMs: number;
  responseBytes: number;
  /** At most 16 KiB, beginning with `…` where it is not the whole; null where it is no text. */
  responseTail: string | null;
  idempotencyKey: string | null;
}

export interface HttpEvidenceOptions
  extends Pick<HttpEvidence, 'method' | 'url' | 'durationMs' | 'idempotencyKey'> {
  answer: ServiceAnswer;
  secrets: SecretRegistry;
}

export function httpEvidence({ answer, secrets, ...given }: HttpEvidenceOptions): HttpEvidence {
  const { status, redirects, body } = answer;
  return {
    status,
    method: given.method,
    url: secrets.redact(given.url),
    redirects: redirects.map((redirect) => ({ ...redirect, url: secrets.redact(redirect.url) })),
    durationMs: given.durationMs,
    responseBytes: body.bytes,
    responseTail: shownTail(body, secrets),
    idempotencyKey: given.idempotencyKey,
  };
}

/** Without what would move a terminal's cursor. */
function shownTail({ tail }: ReadBody, secrets: SecretRegistry): string | null {
  if (tail === undefined) return null;
  const shown = tail.startsWith('…') ? `…${secrets.redactTail(tail.slice(1))}` : secrets.redact(tail);
  return shown.replace(/[^\P{Cc}\n\r\t]/gu, '\ufffd');
}
