import { parse } from 'valibot';
import { restoreReportSchema } from '../backups/sets/backup-report.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';
import { confirmByName } from './confirm-by-name.ts';
import { preflightRestore } from './preflight-restore.ts';
import { renderRestored } from './render-restored.ts';
import { runKindNow } from './run-kind-now.ts';

export interface RestoreFlags {
  /** An id, `latest`, an absolute path, or one of these in a remote: `offsite:latest`. */
  source: string;
  into?: string | undefined;
  confirm?: string | undefined;
  'in-place': boolean;
  jobs?: number | undefined;
  'no-files': boolean;
  'no-restart': boolean;
}

/** `tend restore`: in place of the live database, which must be confirmed by its name, or beside it. */
export async function restoreBody(context: CommandContext, flags: RestoreFlags): Promise<CommandOutcome> {
  const { source, into } = flags;
  const { database } = await context.connection();
  if (into === undefined) {
    await confirmByName({
      question: flags['in-place']
        ? `The tables of database "${database}" will be replaced by those of backup set "${source}"; there is no --undo.`
        : `Database "${database}" will be replaced by backup set "${source}".`,
      name: database,
      flag: '--confirm',
      given: flags.confirm,
      ...{ input: process.stdin, output: process.stderr, signal: context.signal },
    });
  }
  await preflightRestore(context, flags);
  const payload = {
    source,
    ...(into === undefined ? { confirm: database } : { into }),
    ...(flags['in-place'] && { inPlace: true }),
    ...(flags.jobs !== undefined && { jobs: flags.jobs }),
    ...(flags['no-restart'] && { restart: false }),
    ...(flags['no-files'] && { files: false }),
  };
  const { taskId, evidence } = await runKindNow(context, { kind: 'restore', payload });
  const report = parse(restoreReportSchema, evidence);
  return { result: { ...report, taskId }, render: (output) => renderRestored(report, output) };
}
