import { failureStatus } from './failure-status.ts';
import { originalMessageId } from './original-message.ts';
import { type Entity, readHeaders } from './parse-entity.ts';
import type { ReportedRecipient, ServerReport } from './server-report.ts';

const actions = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'] as const;

/** Reads a multipart/report about delivery: RFC 3464, and RFC 6533 for addresses beyond ASCII. */
export function readDeliveryStatus(report: Entity): ServerReport {
  const status = report.parts.find(({ type }) => /^message\/(global-)?delivery-status$/.test(type));
  if (status === undefined)
    return report.parameters.has('report-type')
      ? { type: 'not-understood', reason: 'it has no message/delivery-status part' }
      : { type: 'no-report' };
  const groups = status.body.split(/\n[ \t]*\n/).map((group) => readHeaders(group.trim()));
  const recipients = groups.flatMap((fields) => readRecipient(fields) ?? []);
  if (recipients.length === 0) return { type: 'not-understood', reason: 'it names no recipient' };
  const messageId = originalMessageId(report);
  if (messageId === undefined)
    return { type: 'not-understood', reason: 'it does not say which message it is about' };
  return { type: 'delivery-status', messageId, recipients };
}

function readRecipient(fields: ReadonlyMap<string, string>): ReportedRecipient | undefined {
  const addresses = ['original-recipient', 'final-recipient'].flatMap((name) =>
    readAddress(fields.get(name)),
  );
  const said = fields
    .get('action')
    ?.toLowerCase()
    .replace(/[^a-z].*$/, '');
  const action = actions.find((known) => known === said);
  if (addresses.length === 0 || action === undefined) return undefined;
  const diagnostic = toText(fields.get('diagnostic-code') ?? '').replace(/^[\w-]+\s*;\s*/, '');
  const status = failureStatus({ status: fields.get('status'), diagnostic });
  return { addresses: [...new Set(addresses)], action, status, diagnostic };
}

/** `rfc822; bob@example.org`, `utf-8; żółw@…`, also in the encodings xtext (RFC 3461 §4) and of RFC 6533 §3. */
function readAddress(value: string | undefined): string[] {
  const [, type = '', text = ''] = /^([\w-]+)\s*;\s*(.+)$/.exec(value ?? '') ?? [];
  if (!/^(rfc822|utf-8)$/i.test(type)) return [];
  const address = toText(text.replace(/\s*\([^()]*\)$/, '').replace(/^<(.*)>$/, '$1'));
  const decoded = address
    .replace(/\\x\{([0-9A-Fa-f]{2,6})\}/g, (whole, hex: string) => fromCodePoint(hex) ?? whole)
    .replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return [address, decoded];
}

function fromCodePoint(hex: string): string | undefined {
  const point = Number.parseInt(hex, 16);
  return point > 0x10_ff_ff ? undefined : String.fromCodePoint(point);
}

function toText(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8').trim();
}
