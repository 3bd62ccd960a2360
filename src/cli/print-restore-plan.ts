import { formatBytes } from '../format-bytes.ts';
import type { Output } from './output.ts';
import type { RestorePreview } from './preview-restore.ts';

/** What a restore would do, step by step. */
export function printRestorePlan({ backup, plan, restart }: RestorePreview, output: Output): void {
  const { live, scratch, target, keptAs } = plan;
  output.print(`Backup set ${backup.id} of ${backup.startedAt} (${backup.rows} rows) would be verified,`);
  output.print(`restored into a new database "${scratch}", and compared with its manifest.`);
  if (plan.mode === 'into') output.print(`Then "${scratch}" would be renamed to "${target}".`);
  else if (live === undefined)
    output.print(`Then "${scratch}" would be renamed to "${target}", which does not exist.`);
  else {
    const size = `${formatBytes(live.sizeBytes)}, ${live.sessions} sessions`;
    output.print(
      `Then "${target}" (${size}) would be renamed to "${keptAs ?? ''}" and "${scratch}" to "${target}".`,
    );
    for (const { live, bytes, keptAs } of plan.files)
      output.print(
        `The files of "${live}" (${formatBytes(bytes)}) would be exchanged; the present ones stay as "${keptAs}".`,
      );
    if (restart !== null) output.print(`The application would be restarted: ${restart.join(' ')}`);
  }
  for (const warning of plan.warnings) output.warn(warning);
}
