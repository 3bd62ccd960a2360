import * as v from 'valibot';
import { mailAddress, mailServerUrl } from './setting-texts.ts';
import { argv, duration, integer, oneOf, section, text, textList } from './setting-types.ts';

/** `"10/s"`, `"200/m"`, `"500/h"`, `"10000/d"`, as the milliseconds between two messages. */
export const rate = v.pipe(
  v.string('a rate such as "10/s", "200/m" or "500/h" was expected'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const [, count = '0', unit = ''] = /^([1-9]\d{0,5})\/(s|m|h|d)$/.exec(dataset.value) ?? [];
    const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit];
    if (unitMs !== undefined) return unitMs / Number(count);
    addIssue({ message: `a rate such as "10/s", "200/m" or "500/h" was expected, not "${dataset.value}"` });
    return NEVER;
  }),
);

/** Names of servers stand in payloads, reports and as `default` for the one of `[mail] url`. */
const serverName = v.pipe(
  text,
  v.regex(
    /^(?!default$)[a-z0-9][a-z0-9._-]{0,62}$/,
    'a server is named with a-z, 0-9, ".", "_", "-", and not "default"',
  ),
);

const domain = v.pipe(
  text,
  v.regex(/^(?!-)[a-z0-9-]+(\.[a-z0-9-]+)*$/i, 'a domain such as "example.org" was expected'),
  v.toLowerCase(),
);

const localName = v.pipe(
  v.string(),
  v.regex(/^(?:\*|[\w+-]+(?:\.[\w+-]+)*)$/, 'a name without a domain, such as "root", or "*" was expected'),
  v.toLowerCase(),
);

const fingerprint = v.pipe(
  text,
  v.regex(
    /^([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i,
    'the SHA-256 fingerprint of the certificate was expected: 64 hexadecimal digits, with or without colons',
  ),
  v.transform((value) => value.replaceAll(':', '').toLowerCase()),
);

/** What can be said of every server, the one of `[mail] url` too. */
const serverKeys = {
  tls_ca_file: v.optional(text),
  /** Pins the server's certificate: this one and no other, whoever signed it. */
  tls_fingerprint: v.optional(fingerprint),
  /** Prints an OAuth2 access token (XOAUTH2), for the user of the URL; instead of a password. */
  token_command: v.optional(argv),
  /** For one message, from the first word to the last reply. */
  timeout: v.optional(duration, '2m'),
  /** How many messages may be under way at once. */
  connections: v.optional(integer(1, 100), 5),
  rate: v.optional(rate),
  /** The server that takes over while this one fails. */
  fallback: v.optional(text),
};

/** `[mail]` of tend.toml. */
export const mailSection = section({
  url: v.optional(mailServerUrl),
  ...serverKeys,
  servers: v.optional(v.record(serverName, section({ url: mailServerUrl, ...serverKeys })), {}),
  /** Limits for all recipients of one domain, whatever the server. */
  domains: v.optional(
    v.record(domain, section({ rate: v.optional(rate), connections: v.optional(integer(1, 100)) })),
    {},
  ),
  from: v.optional(mailAddress),
  on_unknown: v.optional(oneOf('hold', 'resend', 'drop'), 'hold'),
  redirect_all: v.optional(mailAddress),
  /** Only recipients of these domains get mail; others are refused. */
  allow_domains: v.optional(v.array(domain, 'a list of domains was expected')),
  attachments_from: v.optional(textList, []),
  /**
   * Where mail to a name without a domain goes (`root`, as cron writes it); `"*"` stands for every other name. Without one
   * the name is completed with the domain of `from`.
   */
  aliases: v.optional(
    v.record(
      localName,
      v.union([mailAddress, v.array(mailAddress)], 'an address, or a list of them, was expected'),
    ),
    {},
  ),
  /** Whether messages may attach large objects: any that tend's role may read, whoever enqueued. */
  large_objects: v.optional(v.boolean('true or false was expected'), false),
  /** Directory of templates, relative to that of the file. */
  templates: v.optional(text),
  dkim: v.optional(section({ domain, selector: domain, key_file: text })),
  /** Maildir that `send-mail bounces` reads unless told otherwise. */
  bounces: v.optional(text),
});
