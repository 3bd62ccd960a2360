import { TendError } from '../../errors.ts';

/** In an attribute, in `url(…)` and in a `srcset`; `cid:` in the text itself is only text. */
const reference = /(?:=\s*["']?|\(\s*["']?|&quot;|&#39;|,\s*)cid:([^"'\s)>,&]+)/gi;

/**
 * Makes sure that what the html shows from inside the message is in it, and that what is to be shown is of a message with
 * html: a picture that is missing is noticed by the readers only.
 *
 * @throws TendError MAIL_MESSAGE_INVALID, permanent.
 */
export function checkInlineImages(options: {
  html: string | undefined;
  attachments: readonly { cid?: string | undefined }[];
}): void {
  const cids = options.attachments.map(({ cid }) => cid).filter((cid) => cid !== undefined);
  const twice = cids.find((cid, index) => cids.indexOf(cid) !== index);
  if (twice !== undefined) throw invalid(`Two attachments have the cid "${twice}".`);
  const [first] = cids;
  if (first !== undefined && options.html === undefined) {
    throw invalid(`The attachment with the cid "${first}" is for html, and the message has none.`);
  }
  for (const [, name = ''] of (options.html ?? '').matchAll(reference)) {
    if (cids.includes(decoded(name))) continue;
    throw invalid(`The html shows "cid:${name.slice(0, 100)}", and no attachment has that cid.`);
  }
}

/** The URL form of a Content-ID (RFC 2392). */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function invalid(message: string): TendError {
  return new TendError('MAIL_MESSAGE_INVALID', message, { isPermanent: true });
}
