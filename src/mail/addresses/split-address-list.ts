/**
 * Splits the value of a To, Cc or Bcc header into the text of its addresses: display names, comments and the names of
 * groups are left out, since only the envelope wants them. Nothing is believed yet: each part goes to `parseAddress`. What
 * could be read in two ways (two addresses in angle brackets, an address as the name of a group, a comment without end)
 * stays in its part, which is refused there: nobody is left out in silence.
 */
export function splitAddressList(value: string): string[] {
  const parts: string[] = [];
  let part = '';
  let comment = 0;
  let isInGroup = false;
  let hasAt = false;
  const finish = () => {
    const bracketed = part.match(/<[^<>]*>/g) ?? [];
    const address = (bracketed.length === 1 ? (/<([^<>]*)>\s*$/.exec(part)?.[1] ?? part) : part).trim();
    if (address !== '') parts.push(address);
    part = '';
    hasAt = false;
  };
  for (const token of value.match(/\\.|"(?:[^"\\]|\\.)*"?|<[^>]*>?|\[[^\]]*\]?|[\s\S]/gu) ?? []) {
    if (token === '(') comment += 1;
    else if (comment > 0) comment -= token === ')' ? 1 : 0;
    else if (token === ',' || token === ';') {
      finish();
      if (token === ';') isInGroup = false;
    } else if (token === ':' && !isInGroup && !hasAt) {
      part = '';
      isInGroup = true;
    } else {
      part += token;
      hasAt ||= token === '@';
    }
  }
  if (comment > 0) part += '(';
  finish();
  return parts;
}
