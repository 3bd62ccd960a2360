import { exitCodes } from '../exit-codes.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';
import { previewRestore } from './preview-restore.ts';
import { printRestorePlan } from './print-restore-plan.ts';
import type { RestoreFlags } from './restore-body.ts';

/** `tend restore --dry-run`: what would happen, and exit code 1 where something is in its way. */
export async function previewRestoreBody(
  context: CommandContext,
  flags: RestoreFlags,
): Promise<CommandOutcome> {
  const { source, into } = flags;
  const includeFiles = flags['no-files'] ? 'no' : 'yes';
  const preview = await previewRestore(context, { source, into, includeFiles });
  const exitCode = preview.plan.obstacles.length > 0 ? exitCodes.failed.code : exitCodes.ok.code;
  return { result: preview, exitCode, render: (output) => printRestorePlan(preview, output) };
}
