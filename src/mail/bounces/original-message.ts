import { type Entity, readHeaders } from './parse-entity.ts';

const originalTypes = new Set([
  'message/rfc822',
  'message/global',
  'text/rfc822-headers',
  'message/rfc822-headers',
  'message/global-headers',
]);

/** The headers of our message, as the report returns them. */
export function originalHeaders(report: Entity): ReadonlyMap<string, string> | undefined {
  const part = report.parts.find(({ type }) => originalTypes.has(type));
  return part === undefined ? undefined : readHeaders(headerPart(part.body));
}

/** Headers end at the first empty line; before them some servers leave one. */
export function headerPart(text: string): string {
  return text.replace(/^\n+/, '').split('\n\n', 1)[0] ?? '';
}

/**
 * The Message-ID of our message: in what is returned of it, else where the report itself is an answer to it (Microsoft
 * 365 may return nothing).
 */
export function originalMessageId(report: Entity): string | undefined {
  const returned = originalHeaders(report);
  const text =
    returned === undefined
      ? `${report.headers.get('in-reply-to') ?? ''} ${report.headers.get('references') ?? ''}`
      : (returned.get('message-id') ?? '');
  return firstMessageId(text);
}

export function firstMessageId(text: string): string | undefined {
  return /<[^<>\s]{3,250}>/.exec(text)?.[0];
}
