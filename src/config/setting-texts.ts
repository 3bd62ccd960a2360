import * as v from 'valibot';

/** `env:NAME` is read where the setting is used, so that validation needs no password. */
const reference = /^env:[A-Za-z_][A-Za-z0-9_]*$/;

const postgresUrl = /^(?:jdbc:)?(?:postgres|postgresql|postgis|psql|pgsql)(?:\+[a-z0-9_]+)?:\/\//i;
const anyUrl = /^[a-z][a-z0-9+.-]*:\/\//i;
const mailUrl =
  /^(?:(?:smtps?|lmtp):\/\/[^/?#\s]+\/?(?:\?[^#\s]*)?|sendmail:.*|lmtp:\/\/\/[^?#]+|eml:(?!\/\/$).+)$/i;
const quoted = '"(?:[^"\\\\]|\\\\.)*"';
const address = `(?:${quoted}|[^\\s<>@,;:"]+)@[^\\s<>@,;"]+`;
const mailbox = new RegExp(
  `^(?!.*\\p{Cc})(?:${address}|(?:${quoted}|[^<>()[\\]@,:;\\\\"])*<${address}>)$`,
  'su',
);

const text = v.pipe(v.string('a string was expected'), v.nonEmpty('an empty string is not allowed'));

/** A URL or a `key=value` string of PostgreSQL. Values are not quoted: one may be a password in the wrong place. */
export const databaseUrl = v.pipe(
  text,
  v.check(
    (value) => !anyUrl.test(value.trim()) || postgresUrl.test(value.trim()),
    'a URL of the form postgresql://user@host/database, or "env:NAME", was expected',
  ),
);

/** As far as a pattern can tell; the mail domain reads the rest. */
export const mailServerUrl = v.pipe(
  text,
  v.check(
    (value) => reference.test(value) || mailUrl.test(value),
    'smtp://…, smtps://…, lmtp://…, sendmail:PROGRAM, eml:DIRECTORY or "env:NAME" was expected',
  ),
);

/** One address, with or without a name. */
export const mailAddress = v.pipe(
  text,
  v.check(
    (value) => mailbox.test(value.trim()),
    'an address such as "bob@example.org" or "Bob <bob@example.org>" was expected',
  ),
);
