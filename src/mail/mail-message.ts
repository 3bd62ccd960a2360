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

/** Such as `application/pdf`; guessed from the name unless given. */
const contentType = v.optional(
  v.pipe(
    line,
    v.regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/, 'a media type such as "application/pdf" was expected'),
  ),
);

const exclusive =
  'an attachment is either {path, filename?, contentType?} or {content, filename, contentType?}';

const fileAttachment = v.strictObject(
  {
    /** File to attach, inside a directory of `[mail] attachments_from`; relative to the directory of `tend.toml`. */
    path: filled,
    /** Name the reader sees; the file's own name unless given. */
    filename: v.optional(filled),
    contentType,
  },
  exclusive,
);

const contentAttachment = v.strictObject(
  {
    /** The bytes in base64; line breaks, as PostgreSQL's `encode(…, 'base64')` writes them, are allowed. */
    content: v.pipe(v.string('base64 was expected'), v.check(isBase64, 'this is not base64')),
    filename: v.pipe(v.string('a name is needed beside content'), filled),
    contentType,
  },
  exclusive,
);

/** The form decides which issues are told, so a plain union of the two would say less. */
const attachment = v.lazy((input) =>
  typeof input === 'object' && input !== null && 'content' in input ? contentAttachment : fileAttachment,
);

/** Linear in time and flat in memory for many megabytes, which one regular expression for it all is not. */
function isBase64(text: string): boolean {
  const packed = text.replace(/\s+/g, '');
  return packed.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(packed.replace(/={1,2}$/, ''));
}

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
  /** Name of a server of `[mail.servers]`; the one of `[mail] url` unless given. */
  server: v.optional(filled),
  /** What to do when nobody can know whether the server took it: `[mail] on_unknown` unless given. */
  onUnknown: v.optional(v.picklist(['hold', 'resend', 'drop'], '"hold", "resend" or "drop" was expected')),
});

export type MailMessage = v.InferOutput<typeof mailMessageSchema>;
export type MailAttachment = v.InferOutput<typeof attachment>;
export type OnUnknown = 'hold' | 'resend' | 'drop';
