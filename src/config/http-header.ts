/** Headers that decide where a message ends and what the connection does next: the client alone writes them. */
const framing = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers that tend itself decides, and what to do instead. */
const ours: Record<string, string> = {
  'accept-encoding': 'the answer is kept as it comes',
  'idempotency-key': 'it has a field of its own in the payload, idempotencyKey',
};

/** Why a header of this name cannot be set, or undefined. The reason completes a sentence: `The header … ` */
export function headerNameProblem(name: string): string | undefined {
  // RFC 9110 §5.6.2: a token.
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/.test(name)) return 'is not a valid header name';
  const lower = name.toLowerCase();
  if (framing.has(lower)) return 'cannot be set: the connection decides it';
  return ours[lower] === undefined ? undefined : `cannot be set: ${ours[lower]}`;
}

/** Why a header cannot have this value, or undefined. The value is never quoted: it may be a secret. */
export function headerValueProblem(value: string): string | undefined {
  if (/[\r\n]/.test(value)) return 'contains a line break';
  if (!/^[\t\x20-\x7e]*$/.test(value)) return 'contains something else than printable ASCII';
  if (value !== value.trim()) return 'begins or ends with a blank';
  return value.length > 8000 ? 'is longer than 8000 characters' : undefined;
}
