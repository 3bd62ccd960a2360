import type { ByteText } from './byte-text.ts';

/** The value of `Name: value` in the header entry's text, or undefined. Names are compared without case. */
export function headerField(header: ByteText, name: string): ByteText | undefined {
  const wanted = `${name.toLowerCase()}:`;
  for (const line of header.split('\n')) {
    if (line.toLowerCase().startsWith(wanted))
      return line.slice(wanted.length).replace(/^[ \t]+|[ \t\r]+$/g, '');
  }
  return undefined;
}

/** What stands after the first `charset=`, wherever that is, up to a blank: as GNU gettext reads it. */
export function charsetName(header: ByteText): ByteText | undefined {
  return /charset=([^ \t\n]*)/.exec(header)?.[1];
}

/**
 * The header as it goes into the .mo file: it says UTF-8, which the output is, and does not say when the template was
 * made, so that equal translations make equal files.
 */
export function shippedHeader(header: ByteText): ByteText {
  return header
    .replace(/^POT-Creation-Date:[^\n]*(?:\n|$)/m, '')
    .replace(
      /(charset=)([^ \t\n]*)/,
      (_all, key: string, name: string) => `${key}${name.toUpperCase() === 'UTF-8' ? name : 'UTF-8'}`,
    );
}
