import type { RemoteCopy } from '../backups/remotes/copy-to-remotes.ts';
import { formatDuration } from '../duration.ts';
import { formatBytes } from '../format-bytes.ts';
import type { Output } from './output.ts';

/** A line for each remote that has got the set or has not; the latter also where nobody watches. */
export function printCopies(report: { id: string; remotes: readonly RemoteCopy[] }, output: Output): void {
  const { id, remotes } = report;
  for (const { name, bytes, durationMs, error } of remotes) {
    if (error === undefined) {
      output.summary(
        `Remote "${name}" holds ${id}: ${formatBytes(bytes)} sent, ${formatDuration(durationMs)}.`,
      );
    } else {
      const hint = error.hint === null ? '' : ` ${error.hint}.`;
      output.warn(`${error.message}${hint} Then: tend backup push ${id} --remote ${name}`);
    }
  }
}
