/** However long a service asks us to stay away: somebody must hear of it within the day. */
const longestMs = 6 * 3_600_000;

/**
 * Milliseconds that `Retry-After` asks for (RFC 9110 §10.2.3: seconds, or a date), at most six hours; undefined where it
 * says nothing that can be understood. A date is compared with the server's own `Date`: its clock may be another one.
 */
export function retryAfterMs(options: {
  retryAfter: string | undefined;
  date: string | undefined;
  now: Date;
}): number | undefined {
  const text = options.retryAfter?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, longestMs);
  const until = httpDate(text);
  if (until === undefined) return undefined;
  const now = httpDate(options.date?.trim() ?? '') ?? options.now.getTime();
  return Math.min(Math.max(until - now, 0), longestMs);
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`, and the two old forms (`Sunday, 06-Nov-94 …`, asctime's) as far as Date reads them. */
function httpDate(text: string): number | undefined {
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  const time = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : time;
}
