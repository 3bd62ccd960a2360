import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { type AppliedRecipient, applyReport } from './apply-report.ts';
import { readReport } from './read-report.ts';

/** What became of one message that came back. */
export interface ProcessedReport {
  /**
   * `recorded`: the database has what it says. `unmatched`: it is about no message that we have sent to them. `early`: it
   * is about one whose sending is not settled yet. `not-understood`: a report all the same. `no-report`: another mail.
   */
  outcome: 'recorded' | 'unmatched' | 'early' | 'not-understood' | 'no-report';
  /** Of our message. */
  messageId: string | null;
  recipients: AppliedRecipient[];
  /** Why it was not understood. */
  reason: string | null;
}

/** Reads one message and records what it says, if it is a report of a mail server about ours. */
export async function processReport(options: {
  db: Kysely<Database>;
  raw: Buffer;
}): Promise<ProcessedReport> {
  const report = readReport(options.raw);
  if (report.type === 'no-report')
    return { outcome: 'no-report', messageId: null, recipients: [], reason: null };
  if (report.type === 'not-understood')
    return { outcome: 'not-understood', messageId: null, recipients: [], reason: report.reason };
  const recipients = await applyReport({ db: options.db, report });
  return { outcome: overall(recipients), messageId: report.messageId, recipients, reason: null };
}

function overall(recipients: readonly AppliedRecipient[]): ProcessedReport['outcome'] {
  if (recipients.some(({ outcome }) => outcome === 'early')) return 'early';
  return recipients.every(({ outcome }) => outcome === 'unmatched') ? 'unmatched' : 'recorded';
}
