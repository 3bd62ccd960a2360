import { firstMessageId, originalHeaders } from './original-message.ts';
import { type Entity, readHeaders } from './parse-entity.ts';
import type { ServerReport } from './server-report.ts';

/**
 * Reads a complaint (ARF, RFC 5965). Providers often leave out who complained: then `addresses` is empty, and only a
 * message with one recipient says who it was.
 */
export function readFeedbackReport(report: Entity): ServerReport {
  const part = report.parts.find(({ type }) => type === 'message/feedback-report');
  if (part === undefined) return { type: 'not-understood', reason: 'it has no message/feedback-report part' };
  const fields = readHeaders(part.body.trim());
  const feedbackType = fields.get('feedback-type')?.toLowerCase();
  const messageId = firstMessageId(originalHeaders(report)?.get('message-id') ?? '');
  if (feedbackType === undefined || messageId === undefined)
    return { type: 'not-understood', reason: 'it does not say which message it is about, or what of it' };
  const recipient =
    fields
      .get('original-rcpt-to')
      ?.replace(/^<(.*)>$/, '$1')
      .trim() ?? '';
  return { type: 'feedback', messageId, feedbackType, addresses: recipient.includes('@') ? [recipient] : [] };
}
