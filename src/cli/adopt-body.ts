import { hostname } from 'node:os';
import { openDatabase } from '../database/open-database.ts';
import { requireSchema } from '../database/require-schema.ts';
import { translateDatabaseError } from '../database/translate-database-error.ts';
import { TendError } from '../errors.ts';
import { type AdoptedCopy, adoptCopy, type UnfinishedChoice } from '../tasks/adopt-copy.ts';
import { findCopiedQueue } from '../tasks/find-copied-queue.ts';
import { askUnfinished } from './ask-unfinished.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';
import { describeAdoption, describeCopy } from './describe-copy.ts';

export interface AdoptFlags {
  /** What shall become of the unfinished tasks; asked for on the terminal when undefined. */
  unfinished: UnfinishedChoice | undefined;
  isDryRun: boolean;
  isJson: boolean;
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
}

/** `tend doctor --adopt`: gives a clone or a restored copy a queue of its own. */
export async function adoptBody(context: CommandContext, flags: AdoptFlags): Promise<CommandOutcome> {
  const { configError, signal } = context;
  if (configError !== undefined) throw configError;
  const connection = await context.connection();
  // A copy may hold a million tasks, all changed in one statement.
  const applicationName = `tend doctor ${hostname()}:${process.pid}`;
  await using db = openDatabase({ connection, applicationName, statementTimeoutMs: 0 });
  try {
    await requireSchema(db);
    const found = await findCopiedQueue(db);
    if (found.copiedFrom === null || flags.isDryRun) return unchanged(found, flags);
    const shown = describeCopy(found);
    const unfinished =
      flags.unfinished ?? (await askUnfinished({ ...flags, mayAsk: !flags.isJson, found: shown, signal }));
    signal.throwIfAborted();
    const adopted = await adoptCopy({ db, unfinished });
    if (!adopted.isAdopted) return unchanged(adopted.found, flags);
    return outcome(adopted, {
      ...{ decision: unfinished, isDryRun: false },
      lines: [...(flags.unfinished === undefined ? [] : shown), ...describeAdoption(adopted, unfinished)],
    });
  } catch (error) {
    throw explainRefusal(error, connection);
  }
}

function unchanged(found: AdoptedCopy['found'], { isDryRun }: AdoptFlags): CommandOutcome {
  const lines = describeCopy(found);
  if (found.copiedFrom !== null) lines.push('Nothing was changed: --dry-run.');
  return outcome({ found, isAdopted: false, changed: 0, heldMails: 0 }, { decision: null, isDryRun, lines });
}

function outcome(
  { found, isAdopted, changed, heldMails }: AdoptedCopy,
  options: { decision: UnfinishedChoice | null; isDryRun: boolean; lines: readonly string[] },
): CommandOutcome {
  const { database, copiedFrom, unfinished: tasks, schedules } = found;
  const { decision, isDryRun: dryRun, lines } = options;
  return {
    result: { dryRun, database, copiedFrom, isAdopted, decision, tasks, schedules, changed, heldMails },
    render(output) {
      for (const line of lines) output.print(line);
    },
  };
}

/** The owner alone may: nobody else was granted anything on the tables, or the function. */
function explainRefusal(error: unknown, { database, user }: { database: string; user: string }): unknown {
  const translated = translateDatabaseError(error);
  // A refused connection comes as our own error, and says enough.
  if (translated?.code !== 'DATABASE_PERMISSION' || error instanceof TendError) return error;
  return new TendError(
    'DATABASE_PERMISSION',
    `Role "${user}" may not adopt database "${database}": ${translated.message}`,
    { cause: error, hint: 'Do it as the owner of schema "tend", the role that runs: tend migrations up' },
  );
}
