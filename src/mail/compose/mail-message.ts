import * as v from 'valibot';
import { filledLine, headerLine } from './header-line.ts';
import { mailAttachment } from './mail-attachment.ts';

const addresses = v.union(
  [v.pipe(v.array(headerLine), v.maxLength(1000, 'at most 1000 addresses')), headerLine],
  'an address or a list of addresses was expected',
);

/** As JavaScript and PostgreSQL's `to_jsonb(timestamptz)` write it. */
const moment = v.pipe(
  v.string('a time such as "2026-12-24T18:00:00Z" was expected'),
  v.check(
    (text) =>
      /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)$/.test(text) &&
      !Number.isNaN(timeOf(text)),
    'a time with its zone, such as "2026-12-24T18:00:00Z", was expected',
  ),
);

const unsubscribe = v.strictObject({
  /** A POST to it unsubscribes, without another question (RFC 8058). */
  url: v.pipe(
    headerLine,
    v.check(isHttpsUrl, 'an https URL without spaces, commas or angle brackets was expected'),
  ),
  /** Address that unsubscribes who writes to it. */
  mailto: v.optional(filledLine),
});

/**
 * The payload of kind `send-mail`, and what the command sends: addresses as one mailbox a string (`bob@example.org` or
 * `Bob <bob@example.org>`), `bcc` only in the envelope, `text` and `html` as alternatives of one another, or a
 * `template` that makes them.
 */
export const mailMessageSchema = v.pipe(
  v.strictObject({
    to: addresses,
    cc: v.optional(addresses),
    bcc: v.optional(addresses),
    /** `[mail] from` unless given. */
    from: v.optional(headerLine),
    replyTo: v.optional(headerLine),
    /** Wins over the one of the template. */
    subject: v.optional(headerLine),
    text: v.optional(v.string('a string was expected')),
    html: v.optional(v.string('a string was expected')),
    /** Name of a template in the directory `[mail] templates`. */
    template: v.optional(filledLine),
    /** What the template's variables stand for. */
    data: v.optional(
      v.custom<Record<string, unknown>>(
        (input) => typeof input === 'object' && input !== null && !Array.isArray(input),
        'an object was expected',
      ),
    ),
    /** The reader's language: `pl`, `pt_BR`, `sr@latin`. */
    locale: v.optional(filledLine),
    /** More headers, such as `List-Id`; those the message itself needs cannot be set. */
    headers: v.optional(v.record(v.string(), v.string('a string was expected'))),
    attachments: v.optional(v.pipe(v.array(mailAttachment), v.maxLength(100, 'at most 100 attachments'))),
    importance: v.optional(v.picklist(['high', 'low'], '"high" or "low" was expected')),
    unsubscribe: v.optional(unsubscribe),
    /** Not sent after this time. */
    expiresAt: v.optional(moment),
    /** Name of a server of `[mail.servers]`; the one of `[mail] url` unless given. */
    server: v.optional(filledLine),
    /** What to do when nobody can know whether the server took it: `[mail] on_unknown` unless given. */
    onUnknown: v.optional(v.picklist(['hold', 'resend', 'drop'], '"hold", "resend" or "drop" was expected')),
  }),
  v.forward(
    v.check(
      ({ subject, template }) => subject !== undefined || template !== undefined,
      'a subject is needed where no template gives one',
    ),
    ['subject'],
  ),
  v.forward(
    v.check(
      ({ template, text, html }) => template === undefined || (text === undefined && html === undefined),
      'a message has a template, or text and html, not both',
    ),
    ['template'],
  ),
  v.forward(
    v.check(
      ({ template, data, locale }) => template !== undefined || (data === undefined && locale === undefined),
      'data and locale are for a template, and none is named',
    ),
    ['template'],
  ),
);

export type MailMessage = v.InferOutput<typeof mailMessageSchema>;
export type OnUnknown = 'hold' | 'resend' | 'drop';

/** Milliseconds; NaN for what is no time. `+00`, as PostgreSQL's text has it, is `+00:00`. */
export function timeOf(text: string): number {
  return Date.parse(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'));
}

function isHttpsUrl(text: string): boolean {
  return /^https:\/\/[^\s<>,\\"^`{|}\u0080-\uffff]+$/i.test(text) && text.length <= 900 && URL.canParse(text);
}
