import { exitCodes } from '../exit-codes.ts';
import type { MessageWriter } from './message-writer.ts';
import type { ProcessHost } from './process-host.ts';

const standardStreams = new Set(['PipeWrap', 'TTYWrap']);

/**
 * Ends a process that does not end by itself after its command has: something was left open, which is a bug of ours
 * (exit code 70), and a hanging cron job would hide it. The timer does not keep the process alive.
 */
export function armWatchdog(host: ProcessHost, writer: MessageWriter, afterMs = 5_000): void {
  const timer = setTimeout(() => {
    const open = new Set(
      process.getActiveResourcesInfo().filter((resource) => !standardStreams.has(resource)),
    );
    const what = [...open].join(', ') || 'unknown';
    const exitCode = exitCodes.bug.code;
    const text = `the work is done, but the process did not end within ${afterMs / 1000} s (open: ${what}); this is a bug in tend`;
    writer.tell(writer.compose({ level: 'error', text, facts: { code: 'BUG', exitCode } }));
    host.exit(exitCode);
  }, afterMs);
  timer.unref();
}
