import * as v from 'valibot';

const line = v.pipe(
  v.string('a string was expected'),
  v.check((text) => !/[\r\n]/.test(text), 'a line break is not allowed here'),
);
const filled = v.pipe(line, v.nonEmpty('an empty string is not allowed'));
const addresses = v.union(
  [v.pipe(v.array(line), v.maxLength(1000, 'at most 1000 addresses')), line],
  'an address or a list of addresses was expected',
);

const attachment = v.strictObject({
  /** File to attach; relative to the directory of `tend.toml`. */
  path: filled,
  /** Name the reader sees; the file's own name unless given. */
  filename: v.optional(filled),
  /** Such as `application/pdf`; guessed from the name unless given. */
  contentType: v.optional(
    v.pipe(
      line,
      v.regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/, 'a media type such as "application/pdf" was expected'),
    ),
  ),
});

/**
 * The payload of kind `send-mail`, and what the command sends: addresses as one mailbox a string (`bob@example.org` or
 * `Bob <bob@example.org>`), `bcc` only in the envelope, `text` and `html` as alternatives of one another.
 */
export const mailMessageSchema = v.strictObject({
  to: addresses,
  cc: v.optional(addresses),
  bcc: v.optional(addresses),
  /** `[mail] from` unless given. */
  from: v.optional(line),
  replyTo: v.optional(line),
  subject: line,
  text: v.optional(v.string('a string was expected')),
  html: v.optional(v.string('a string was expected')),
  /** More headers, such as `List-Unsubscribe`; those the message itself needs cannot be set. */
  headers: v.optional(v.record(v.string(), v.string('a string was expected'))),
  attachments: v.optional(v.pipe(v.array(attachment), v.maxLength(100, 'at most 100 attachments'))),
  /** What to do when nobody can know whether the server took it: `[mail] on_unknown` unless given. */
  onUnknown: v.optional(v.picklist(['hold', 'resend', 'drop'], '"hold", "resend" or "drop" was expected')),
});

export type MailMessage = v.InferOutput<typeof mailMessageSchema>;
export type MailAttachment = v.InferOutput<typeof attachment>;
export type OnUnknown = 'hold' | 'resend' | 'drop';
