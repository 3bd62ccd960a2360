import { parseEntity, toUnixLines } from './parse-entity.ts';
import { readDeliveryStatus } from './read-delivery-status.ts';
import { readEximBounce } from './read-exim-bounce.ts';
import { readFeedbackReport } from './read-feedback-report.ts';
import { readQmailBounce } from './read-qmail-bounce.ts';
import type { ServerReport } from './server-report.ts';

/**
 * Reads one message as a report of a mail server: delivery status notifications (RFC 3464 and 6533), complaints (RFC
 * 5965), and the two older forms that say what they are, those of qmail and of Exim before 4.87. The message itself must
 * be the report: one that somebody has forwarded is none. Never throws.
 */
export function readReport(raw: Buffer): ServerReport {
  const message = parseEntity(toUnixLines(raw.toString('latin1')));
  if (message.type !== 'multipart/report')
    return readQmailBounce(message) ?? readEximBounce(message) ?? { type: 'no-report' };
  const kind = message.parameters.get('report-type')?.toLowerCase();
  if (kind === 'feedback-report') return readFeedbackReport(message);
  if (kind === 'delivery-status' || kind === 'global-delivery-status' || kind === undefined)
    return readDeliveryStatus(message);
  // disposition-notification (RFC 8098) and others are about readers, not about delivery.
  return { type: 'no-report' };
}
