const longest = 80;

/** Text of a catalog in double quotes for a diagnostic, cut where it is long: a fault must not fill the log. */
export function quoteText(text: string): string {
  return `"${cutText(text)}"`;
}

/** The same without the quotes. */
export function cutText(text: string): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest).replace(/[\ud800-\udbff]$/, '')}…`;
}
