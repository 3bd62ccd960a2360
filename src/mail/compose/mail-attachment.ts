import * as v from 'valibot';
import { filledLine, headerLine } from './header-line.ts';

/** What every form of attachment may say of itself. */
const described = {
  /** Such as `application/pdf`; guessed from the name unless given. */
  contentType: v.optional(
    v.pipe(
      headerLine,
      v.regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/, 'a media type such as "application/pdf" was expected'),
    ),
  ),
  /** Makes it part of the html, which shows it by `src="cid:…"` (RFC 2392). */
  cid: v.optional(
    v.pipe(
      headerLine,
      v.regex(
        /^[\w.+-]{1,200}(@[\w.-]{1,200})?$/,
        'a Content-ID such as "logo" or "logo@example.org" was expected',
      ),
    ),
  ),
};

const exclusive =
  'an attachment is {path, filename?}, {content, filename}, {attachment, filename?} or {largeObject, filename}, each with contentType? and cid?';

const fileAttachment = v.strictObject(
  {
    /** File to attach, inside a directory of `[mail] attachments_from`; relative to the directory of `tend.toml`. */
    path: filledLine,
    /** Name the reader sees; the file's own name unless given. */
    filename: v.optional(filledLine),
    ...described,
  },
  exclusive,
);

const contentAttachment = v.strictObject(
  {
    /** The bytes in base64; line breaks, as PostgreSQL's `encode(…, 'base64')` writes them, are allowed. */
    content: v.pipe(v.string('base64 was expected'), v.check(isBase64, 'this is not base64')),
    filename: v.pipe(v.string('a name is needed beside content'), filledLine),
    ...described,
  },
  exclusive,
);

const storedAttachment = v.strictObject(
  {
    /** What `tend.attach` returned. */
    attachment: wholeNumber(Number.MAX_SAFE_INTEGER, 'the id that tend.attach returned was expected'),
    /** The name it was stored under unless given. */
    filename: v.optional(filledLine),
    ...described,
  },
  exclusive,
);

const largeObjectAttachment = v.strictObject(
  {
    /** OID of a large object; only with `[mail] large_objects = true`. */
    largeObject: wholeNumber(2 ** 32 - 1, 'the OID of a large object was expected'),
    filename: v.pipe(v.string('a name is needed beside largeObject'), filledLine),
    ...described,
  },
  exclusive,
);

/** The form decides which issues are told, so a plain union of the four would say less. */
export const mailAttachment = v.lazy((input) => {
  if (typeof input !== 'object' || input === null) return fileAttachment;
  if ('content' in input) return contentAttachment;
  if ('attachment' in input) return storedAttachment;
  return 'largeObject' in input ? largeObjectAttachment : fileAttachment;
});

export type MailAttachment = v.InferOutput<typeof mailAttachment>;

function wholeNumber(most: number, message: string) {
  return v.pipe(v.number(message), v.integer(message), v.minValue(1, message), v.maxValue(most, message));
}

/** Linear in time and flat in memory for many megabytes, which one regular expression for it all is not. */
function isBase64(text: string): boolean {
  const packed = text.replace(/\s+/g, '');
  return packed.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(packed.replace(/={1,2}$/, ''));
}
