import * as v from 'valibot';
import { section, text } from './setting-types.ts';

/** The address is a secret, so it is not quoted where it is refused. */
const pingUrl = v.pipe(
  text,
  v.regex(
    /^(?:env:[A-Za-z_][A-Za-z0-9_]*$|https?:\/\/[^\s/?#]+)/,
    'a URL of the form https://host/path, or "env:NAME", was expected',
  ),
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
});
