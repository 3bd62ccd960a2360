/** One header as it stands, folding included, without its last line end. Text is bytes as latin1. */
export interface HeaderField {
  name: string;
  text: string;
}

export interface SplitMessage {
  fields: HeaderField[];
  body: string;
}

/**
 * Takes a message as a program wrote it apart: LF or CRLF become CRLF, a bare CR (which some servers read as a line
 * end) a space in headers and CRLF in the body, an mbox `From ` line is left out. Where the first line is no header,
 * there are none and all is body.
 */
export function splitMessage(input: string): SplitMessage {
  const lines = input.replace(/^From [^\n]*\n/, '').split(/\r?\n/);
  const fields: HeaderField[] = [];
  let at = 0;
  for (; at < lines.length; at += 1) {
    const line = (lines[at] ?? '').replace(/[\r\0]/g, ' ');
    const last = fields.at(-1);
    const name = /^([!-9;-~]+)[ \t]*:/.exec(line)?.[1];
    if (last !== undefined && /^[ \t]+\S/.test(line)) last.text += `\r\n${line}`;
    else if (name !== undefined) fields.push({ name, text: line });
    else break;
  }
  const rest = lines.slice(lines[at] === '' && at < lines.length ? at + 1 : at).join('\r\n');
  const body = rest.replace(/\r(?!\n)/g, '\r\n').replace(/(?:\r\n)?$/, '\r\n');
  return { fields, body };
}

/** The value of a header on one line, its bytes read as UTF-8. */
export function unfold({ name, text }: HeaderField): string {
  const value = text.slice(text.indexOf(':', name.length) + 1).replace(/\r\n[ \t]+/g, ' ');
  return Buffer.from(value, 'latin1').toString('utf8').replace(/\t/g, ' ').trim();
}
