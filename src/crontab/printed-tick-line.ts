import { userCrontabLines } from './cron-lines.ts';
import type { TickLine } from './find-tick-lines.ts';
import { parseCrontab } from './parse-crontab.ts';
import type { TickCall } from './tick-call.ts';

/** The line that `tend crontab install` would put into a crontab. */
export function printedTickLine(call: TickCall): TickLine {
  const text = userCrontabLines({ ...call, mailTo: undefined }, { above: [] }).join('\n');
  const [entry] = parseCrontab(text, { namesUser: false });
  if (entry === undefined) throw new Error(`No line of a crontab: ${text}`);
  const place = 'the line that "tend crontab install" writes';
  return { place, file: undefined, user: call.user ?? '', isInstalled: false, entry };
}
