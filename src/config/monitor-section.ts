import * as v from 'valibot';
import { mailAddress } from './setting-texts.ts';
import { duration, integer, oneOf, percent, section, text } from './setting-types.ts';

const count = integer(0, 1_000_000);

/**
 * `[monitor.thresholds]`: from where on `tend status` names something as a problem. Those without a default leave the
 * judgement to view `tend.health`; set, they replace what it says of the same thing, stricter or milder.
 */
export const statusThresholds = section({
  /** Of every host, not only of the one that ticked last. */
  tick_age: v.optional(duration),
  due_age: v.optional(duration),
  /** Of the newest set nothing is known against, and of the newest one that was verified. */
  backup_age: v.optional(duration),
  verify_age: v.optional(duration),
  /** How many may be there without being a problem. */
  held: v.optional(count),
  failed: v.optional(count),
  mail_unknown: v.optional(count, 0),
  mail_deferred: v.optional(count, 100),
  /** How long a mail server may fail. */
  mail_server_failing: v.optional(duration, '15m'),
  /** Message catalogs whose last result is a failure. */
  catalogs_failed: v.optional(count, 0),
  /** Of `max_connections`, all sessions of the server together. */
  connection_share: v.optional(percent, '80%'),
});

/** The thresholds after validation: ages in milliseconds, the share in percent. */
export type StatusThresholds = v.InferOutput<typeof statusThresholds>;

/** What syslog sorts messages by; those that belong to other programs are left out. */
const syslogFacility = oneOf(
  ...(['user', 'daemon', 'cron', 'local0', 'local1', 'local2', 'local3'] as const),
  ...(['local4', 'local5', 'local6', 'local7'] as const),
);

/** The address is a secret, so it is not quoted where it is refused. */
const pingUrl = v.pipe(
  text,
  v.regex(
    /^(?:env:[A-Za-z_][A-Za-z0-9_]*$|https?:\/\/[^\s/?#]+)/,
    'a URL of the form https://host/path, or "env:NAME", was expected',
  ),
);

const mailTo = v.union(
  [mailAddress, v.array(mailAddress)],
  'a mail address, or a list of them, was expected',
);

/** `[monitor]` of tend.toml. */
export const monitorSection = section({
  /** Told of every tick: `/start`, then `/<exit code>`. */
  ping_url: v.optional(pingUrl),
  /** The same for other commands, each with an address of its own. */
  pings: v.optional(
    section({
      backup: v.optional(pingUrl),
      verify: v.optional(pingUrl),
      restore: v.optional(pingUrl),
      'compile-translations': v.optional(pingUrl),
    }),
    {},
  ),
  metrics_file: v.optional(text),
  /** Who is told by mail what broke, what still is, and what works again. */
  mail_to: v.optional(mailTo),
  thresholds: v.optional(statusThresholds, {}),
  log_format: v.optional(oneOf('text', 'json'), 'text'),
  syslog: v.optional(syslogFacility),
});
