import { failureStatus } from './failure-status.ts';
import { firstMessageId, headerPart } from './original-message.ts';
import { type Entity, readHeaders } from './parse-entity.ts';
import type { ReportedRecipient, ServerReport } from './server-report.ts';

const copyFollows = /^-+ This is a copy of (?:the|your) message,[^\n]*-+$/m;

/**
 * Reads a bounce of Exim from before it wrote RFC 3464: `X-Failed-Recipients` names whom it has given up, and a copy of
 * the message follows a line that says so. Undefined where it is none.
 */
export function readEximBounce(message: Entity): ServerReport | undefined {
  const failed = message.headers.get('x-failed-recipients');
  if (failed === undefined || message.type !== 'text/plain') return undefined;
  const { body } = message;
  const copy = copyFollows.exec(body);
  if (copy === null) return { type: 'not-understood', reason: 'it has no copy of the message' };
  const report = body.slice(0, copy.index);
  const original = body.slice(copy.index + copy[0].length);
  const messageId = firstMessageId(readHeaders(headerPart(original)).get('message-id') ?? '');
  const recipients = failed.split(',').flatMap((text) => readRecipient(report, text.trim()) ?? []);
  if (recipients.length === 0 || messageId === undefined)
    return { type: 'not-understood', reason: 'it names no recipient, or not the message' };
  return { type: 'delivery-status', messageId, recipients };
}

/** What stands below the line of the address, indented deeper. */
function readRecipient(report: string, address: string): ReportedRecipient | undefined {
  if (!address.includes('@')) return undefined;
  const lines = report.split('\n');
  const at = lines.findIndex((line) => line.trim() === address);
  const rest = at < 0 ? [] : lines.slice(at + 1);
  const end = rest.findIndex((line) => !/^\s{4,}\S/.test(line));
  const diagnostic = rest
    .slice(0, end < 0 ? rest.length : end)
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim();
  return {
    addresses: [address],
    action: 'failed',
    status: failureStatus({ status: undefined, diagnostic }),
    diagnostic,
  };
}
