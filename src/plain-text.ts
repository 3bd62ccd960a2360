import { stripVTControlCharacters } from 'node:util';

/**
 * What a program said, to be shown on a terminal or in a mail: lines and tabs stay, colours and other orders to a
 * terminal go, and what is left of control characters is written out (`\u0007`), so that nothing is silently missing.
 */
export function plainText(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\r\n?/g, '\n')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, escapeControl);
}

/** As JSON writes it: `\u001b`. */
export function escapeControl(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
