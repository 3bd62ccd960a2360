import { describeObstacle } from '../backups/restore/plan-restore.ts';
import { countOf } from '../count-of.ts';
import { formatDuration } from '../duration.ts';
import { formatBytes } from '../format-bytes.ts';
import type { Output } from './output.ts';
import type { RestorePreview } from './preview-restore.ts';

/** What a restore would do, step by step, and what is in its way. */
export function printRestorePlan(preview: RestorePreview, output: Output): void {
  const { plan } = preview;
  for (const obstacle of plan.obstacles) output.print(`In the way: ${describeObstacle(obstacle)}`);
  printLoading(preview, output);
  printEnding(preview, output);
  if (preview.estimate !== null) {
    const { durationMs, from } = preview.estimate;
    output.print(`It would take about ${formatDuration(durationMs)}, as far as ${from} tells.`);
  }
  for (const warning of plan.warnings) output.warn(warning);
}

function printLoading({ backup, isCompared, plan, ageMs }: RestorePreview, output: Output): void {
  const what = isCompared ? `Backup set ${backup.id}` : `Archive ${backup.path}`;
  const holds = isCompared ? `${countOf(backup.rows, 'row')} in ` : '';
  const size = `${holds}${countOf(backup.tables, 'table')}, ${formatBytes(backup.bytes)}`;
  output.print(`${what} of ${backup.startedAt} (${size}) would be verified,`);
  const check = isCompared ? 'and compared with its manifest' : 'and its rows counted';
  output.print(`restored into a new database "${plan.scratch}", ${check}.`);
  if (plan.space !== undefined) {
    output.print(`"${plan.space.directory}" has ${formatBytes(plan.space.freeBytes)} free.`);
  }
  if (plan.live !== undefined)
    output.print(`What was written in the last ${formatDuration(ageMs)} is not in it.`);
}

function printEnding({ plan, sessions, restart }: RestorePreview, output: Output): void {
  const { live, scratch, target, keptAs } = plan;
  if (plan.mode === 'into') output.print(`Then "${scratch}" would be renamed to "${target}".`);
  else if (live === undefined)
    output.print(`Then "${scratch}" would be renamed to "${target}", which does not exist.`);
  else {
    const size = `${formatBytes(live.sizeBytes)}, ${countOf(live.sessions, 'session')}`;
    output.print(
      `Then "${target}" (${size}) would be renamed to "${keptAs ?? ''}" and "${scratch}" to "${target}".`,
    );
    for (const { live, bytes, keptAs } of plan.files)
      output.print(
        `The files of "${live}" (${formatBytes(bytes)}) would be exchanged; the present ones stay as "${keptAs}".`,
      );
    for (const { application, role, count } of sessions) {
      output.print(`Sessions that would be ended: ${count} of "${application}" (role "${role}")`);
    }
    if (restart !== null) output.print(`The application would be restarted: ${restart.join(' ')}`);
  }
}
