/**
 * Splits the value of a To, Cc or Bcc header into the text of its addresses: display names, comments and the names of
 * groups are left out, since only the envelope wants them. Nothing is believed yet: each part goes to `parseAddress`.
 */
export function splitAddressList(value: string): string[] {
  const parts: string[] = [];
  let part = '';
  let comment = 0;
  const finish = () => {
    const address = (/<([^<>]*)>\s*$/.exec(part)?.[1] ?? part).trim();
    if (address !== '') parts.push(address);
    part = '';
  };
  for (const token of value.match(/\\.|"(?:[^"\\]|\\.)*"?|<[^>]*>?|\[[^\]]*\]?|[\s\S]/gu) ?? []) {
    if (token === '(') comment += 1;
    else if (comment > 0) comment -= token === ')' ? 1 : 0;
    else if (token === ',' || token === ';') finish();
    else if (token === ':') part = '';
    else part += token;
  }
  finish();
  return parts;
}
