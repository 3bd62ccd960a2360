import type { HeaderField } from '../compose/header-block.ts';

/** A header field in the relaxed form of RFC 6376 §3.4.2, without a line end. Text is bytes as latin1. */
export function relaxedHeader({ name, text }: HeaderField): string {
  const value = text.slice(text.indexOf(':', name.length) + 1).replaceAll('\r\n', '');
  return `${name.toLowerCase()}:${collapse(value).replace(/^ | $/g, '')}`;
}

/** A body in the relaxed form of RFC 6376 §3.4.4: line by line, so that no run of blanks is looked at twice. */
export function relaxedBody(body: string): string {
  const lines = body.split('\r\n').map((line) => collapse(line).replace(/ $/, ''));
  let count = lines.length;
  while (count > 0 && lines[count - 1] === '') count -= 1;
  return count === 0 ? '' : `${lines.slice(0, count).join('\r\n')}\r\n`;
}

function collapse(line: string): string {
  return line.replace(/[ \t]+/g, ' ');
}
