/** What a server has announced in its reply to EHLO or LHLO. */
export interface SmtpOffer {
  /** RFC 2920. */
  pipelining: boolean;
  /** RFC 6152. */
  eightBitMime: boolean;
  /** RFC 6531. */
  smtpUtf8: boolean;
  /** RFC 1870; with the most it takes where it names a limit. */
  size: boolean;
  maxBytes: number | undefined;
}

/** @param reply as it came, its lines with their codes. */
export function readOffer(reply: string): SmtpOffer {
  const offered = new Map<string, string | undefined>();
  for (const line of reply.split('\n').slice(1)) {
    const [keyword = '', parameter] = line
      .replace(/^\d{3}[ -]/, '')
      .trim()
      .split(/\s+/);
    offered.set(keyword.toUpperCase(), parameter);
  }
  const limit = Number(offered.get('SIZE') ?? 0);
  return {
    pipelining: offered.has('PIPELINING'),
    eightBitMime: offered.has('8BITMIME'),
    smtpUtf8: offered.has('SMTPUTF8'),
    size: offered.has('SIZE'),
    maxBytes: limit > 0 ? limit : undefined,
  };
}
