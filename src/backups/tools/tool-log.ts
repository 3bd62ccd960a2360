import type { Log } from '../../log.ts';

/** What `--verbose` of pg_dump and pg_restore says about their own preparations. */
const chatter =
  /^pg_(dump|restore): (last built-in|reading |identifying |finding |flagging |saving |creating |connecting )/;

/** Passes on what pg_dump and pg_restore say about data and about problems, without their chatter. */
export function withoutChatter(log: Log): Log {
  return {
    ...log,
    debug(line) {
      if (!chatter.test(line)) log.debug(line);
    },
  };
}
