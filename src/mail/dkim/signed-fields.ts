import type { HeaderField } from '../compose/header-block.ts';

/**
 * Signed once more than they are there, so that none can be added on the way: a second From or Subject is how a signed
 * message is made to say something else (RFC 6376 §8.15).
 */
const sealed = ['from', 'reply-to', 'subject', 'to', 'cc'];

/** Signed where they are there. RFC 8058 §4 wants both List-Unsubscribe headers covered, which default lists forget. */
const covered = [
  ...['date', 'message-id', 'in-reply-to', 'references', 'sender', 'auto-submitted', 'importance'],
  ...['mime-version', 'content-type', 'content-transfer-encoding'],
  ...['list-id', 'list-unsubscribe', 'list-unsubscribe-post', 'list-help', 'list-post', 'list-archive'],
];

export interface SignedFields {
  /** For the `h=` tag: in this order, with those that are not there. */
  names: string[];
  /** Those that are there, in the same order. */
  fields: HeaderField[];
}

/** What of a header is signed; of several with one name the last comes first (RFC 6376 §5.4.2). */
export function signedFields(header: readonly HeaderField[]): SignedFields {
  const names: string[] = [];
  const fields: HeaderField[] = [];
  for (const name of [...sealed, ...covered]) {
    const found = header.filter((field) => field.name.toLowerCase() === name).reverse();
    fields.push(...found);
    names.push(...found.map(() => name));
    if (sealed.includes(name)) names.push(name);
  }
  return { names, fields };
}
