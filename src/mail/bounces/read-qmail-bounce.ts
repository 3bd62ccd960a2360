import { failureStatus } from './failure-status.ts';
import { firstMessageId, headerPart } from './original-message.ts';
import { type Entity, readHeaders } from './parse-entity.ts';
import type { ReportedRecipient, ServerReport } from './server-report.ts';

/**
 * Reads a bounce of qmail and of what descends from it, in the format they call QSBMF (cr.yp.to/proto/qsbmf.txt): it
 * begins "Hi. This is the", has a paragraph `<address>:` for each recipient, and after a line of dashes the message.
 * Undefined where it is none.
 */
export function readQmailBounce(message: Entity): ServerReport | undefined {
  const body = message.body.trimStart();
  if (message.type !== 'text/plain' || !body.startsWith('Hi. This is the ')) return undefined;
  const [report = '', original] = body.split(/\n-[^\n]*\n\n/, 2);
  const recipients = report
    .split(/\n\n+/)
    .slice(1)
    .flatMap((paragraph) => readParagraph(paragraph) ?? []);
  const messageId = firstMessageId(readHeaders(headerPart(original ?? '')).get('message-id') ?? '');
  if (recipients.length === 0 || messageId === undefined)
    return { type: 'not-understood', reason: 'it names no recipient, or not the message' };
  return { type: 'delivery-status', messageId, recipients };
}

function readParagraph(paragraph: string): ReportedRecipient | undefined {
  const [, address, text = ''] = /^<([^<>\s]+)>:[ \t]*\n?([\s\S]*)$/.exec(paragraph.trim()) ?? [];
  if (address === undefined) return undefined;
  const diagnostic = text.replace(/\s+/g, ' ').trim();
  return {
    addresses: [address],
    action: 'failed',
    status: failureStatus({ status: undefined, diagnostic }),
    diagnostic,
  };
}
