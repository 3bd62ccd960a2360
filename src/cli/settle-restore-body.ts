import { parse } from 'valibot';
import { restoreReportSchema, settleReportSchema } from '../backups/sets/backup-report.ts';
import { TendError } from '../errors.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';
import { confirmByName } from './confirm-by-name.ts';
import type { Output } from './output.ts';
import { preflightSettlement } from './preflight-settlement.ts';
import { renderRestored } from './render-restored.ts';
import { runKindNow } from './run-kind-now.ts';

export interface SettleRestoreFlags {
  way: 'resume' | 'undo';
  /** The restore that is to be undone, by its id. */
  restoreId: string | undefined;
  confirm: string | undefined;
  'no-restart': boolean;
}

/** `tend restore --resume` and `--undo`: end a restore that was killed, or take one back. */
export async function settleRestoreBody(
  context: CommandContext,
  flags: SettleRestoreFlags,
): Promise<CommandOutcome> {
  const { way, restoreId } = flags;
  if (way === 'resume' && restoreId !== undefined)
    throw new TendError(
      'USAGE',
      `"${restoreId}" is not expected with --resume: what was killed is gone on with.`,
    );
  const { database } = await context.connection();
  const what = way === 'resume' ? 'The restore of' : 'What was before the restore of';
  const does = way === 'resume' ? 'goes on' : 'comes back';
  await confirmByName({
    question: `${what} database "${database}" ${does}; everybody connected may be sent away.`,
    name: database,
    flag: '--confirm',
    given: flags.confirm,
    ...{ input: process.stdin, output: process.stderr, signal: context.signal },
  });
  await preflightSettlement(context, { way, restoreId });
  const payload = {
    confirm: database,
    ...(way === 'resume' ? { resume: true } : { undo: restoreId ?? true }),
    ...(flags['no-restart'] && { restart: false }),
  };
  const { taskId, evidence } = await runKindNow(context, { kind: 'restore', payload });
  if (!('action' in evidence)) {
    const report = parse(restoreReportSchema, evidence);
    return { result: { ...report, taskId }, render: (output) => renderRestored(report, output) };
  }
  const report = parse(settleReportSchema, evidence);
  const render = (output: Output) => {
    const { action, restoreId: id, keptAs, restoredAs, inPlace } = report;
    const kept = keptAs === null ? '' : `; the old database is kept as "${keptAs}"`;
    const left = restoredAs === null ? '' : `; what it had restored is kept as "${restoredAs}"`;
    const said = {
      finished: inPlace
        ? `Restore ${id} is finished: database "${database}" holds what was restored in place.`
        : `Restore ${id} is finished: database "${database}" is the restored one${kept}.`,
      undone: `Restore ${id} is undone: database "${database}" is the one from before${left}.`,
      swept: `Restore ${id} had replaced nothing; what it left is removed.`,
    };
    output.summary(said[action]);
  };
  return { result: { ...report, taskId }, render };
}
