import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { isConnectionLoss, translateDatabaseError } from '../../database/translate-database-error.ts';
import { TendError, toError } from '../../errors.ts';
import { ToolError } from '../../processes/tool-error.ts';
import { readyArchive } from '../archive/ready-archive.ts';
import { openMaintenanceDatabase } from '../restore/maintenance-database.ts';
import { planRestore } from '../restore/plan-restore.ts';
import { refusePooler } from '../restore/refuse-pooler.ts';
import { type BesideWork, restoreBeside } from '../restore/restore-beside.ts';
import { dropDatabase, sweepScratchDatabases } from '../restore/scratch-database.ts';
import { companionDatabase, newBackupId } from '../sets/backup-id.ts';
import { databasePart } from '../sets/manifest.ts';
import { serverOptions } from '../tools/tool-environment.ts';
import { type VerifiedBackup, verifiedPart, verifyOtherParts } from './verify-backup.ts';

export type TestRestoreOptions = Omit<
  BesideWork,
  'plan' | 'maintenance' | 'serverOptions' | 'archivePath'
> & {
  /** Called when the set was read and found whole: what is found then is found by restoring it. */
  onRead(): void;
};

/**
 * Reads a set and restores it into a database of its own, `NAME_verify_<id>`, with the very steps of a restore, compares
 * it with the manifest, and drops it however this ends. The live database is neither read nor locked.
 *
 * One at a time for each live database: its maintenance session holds an advisory lock to the end, so that the
 * database of one is not taken for the remains of a killed one, which the next drops.
 *
 * @throws TendError BACKUP_DAMAGED where the set cannot be restored or is not what was dumped; RESTORE_REFUSED, TOOL_…
 *   where it is not the set that is to blame; DATABASE_CONNECTION_LOST and others of the connection where nobody knows;
 *   BACKUP_BUSY.
 */
export async function testRestore(options: TestRestoreOptions): Promise<VerifiedBackup> {
  const { set, connection, applicationName, clock } = options;
  await refusePooler({ connection, applicationName, clock });
  await using pool = await openMaintenanceDatabase({ connection, applicationName });
  const others = await pool
    .connection()
    .execute(async (maintenance) => await testBeside(options, maintenance))
    .catch((error: unknown) => {
      options.signal.throwIfAborted();
      throw isConnectionLost(error) ? couldNotBeVerified(set.id, error) : error;
    });
  const part = databasePart(set.manifest);
  const { bytes, uncompressedBytes, sha256 } = part;
  const parts = [verifiedPart(part, 'content'), ...others];
  return { id: set.id, bytes, uncompressedBytes, sha256, level: 'content', parts };
}

async function testBeside(
  options: TestRestoreOptions,
  maintenance: Kysely<Database>,
): Promise<VerifiedBackup['parts']> {
  const { set, connection, clock, log, progress, signal } = options;
  const { database } = connection;
  await takeLock(maintenance, database);
  await sweepScratchDatabases({ maintenance, database, role: 'verify', log });
  const id = newBackupId(clock.now());
  const scratch = companionDatabase(database, 'verify', id);
  const plan = await planRestore({ set, source: null, maintenance, connection, into: scratch, id });
  await using archive = await progress.step(`Verify backup set ${set.id}`, async () => {
    return await readyArchive({ ...options, ...plan });
  });
  const others = await verifyOtherParts(options);
  options.onRead();
  try {
    await restoreBeside({
      ...options,
      archivePath: archive.path,
      maintenance,
      plan: { ...plan, scratch },
      serverOptions: await serverOptions(maintenance, connection),
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!isOfTheSet(error)) throw error;
    // A server that went down and came back may have lost what was loaded: then it is no word about the set.
    await sql`select`.execute(maintenance);
    throw cannotBeRestored(set.id, error);
  } finally {
    await drop(maintenance, scratch, options);
  }
  return others;
}

async function takeLock(maintenance: Kysely<Database>, database: string): Promise<void> {
  const { rows } = await sql<{ taken: boolean }>`
    select pg_catalog.pg_try_advisory_lock(hashtext('tend test restore'), hashtext(${database})) as taken`.execute(
    maintenance,
  );
  if (rows[0]?.taken === true) return;
  throw new TendError('BACKUP_BUSY', `Another test restore of database "${database}" is at work.`, {
    hint: 'Wait until it has ended; see what runs: tend tasks --state running',
  });
}

async function drop(
  maintenance: Kysely<Database>,
  scratch: string,
  { log, connection, applicationName }: TestRestoreOptions,
): Promise<void> {
  try {
    await dropDatabase(maintenance, scratch).catch(async (error: unknown) => {
      if (!isConnectionLost(error)) throw error;
      await using another = await openMaintenanceDatabase({ connection, applicationName });
      await dropDatabase(another, scratch);
    });
  } catch (error) {
    log.warn(
      `Database "${scratch}" could not be dropped; the next test restore does it: ${toError(error).message}`,
    );
  }
}

/** What pg_restore says when the server has no room, when somebody stopped it, and when this role or server lacks something. */
const serverTrouble =
  /no space left|disk full|could not (extend|write)|out of (shared )?memory|too many (clients|connections)|canceling statement due to|permission denied|must be (superuser|owner|member|able)|is not available|could not (access file|open extension)/i;

/** The archive was read before, so what pg_restore or the comparison says is about what is in it. */
function isOfTheSet(error: unknown): boolean {
  if (isConnectionLost(error)) return false;
  const tool = error instanceof ToolError ? error : error instanceof Error ? error.cause : undefined;
  if (tool instanceof ToolError)
    return tool.toolExitCode !== undefined && !serverTrouble.test(tool.outputTail);
  return error instanceof TendError && ['RESTORE_REFUSED', 'BACKUP_DAMAGED'].includes(error.code);
}

function isConnectionLost(error: unknown): boolean {
  const known = translateDatabaseError(error);
  return known !== undefined && isConnectionLoss(known);
}

/** It is neither good nor bad: what is on record of it stays. */
function couldNotBeVerified(id: string, cause: unknown): TendError {
  const known = translateDatabaseError(cause);
  const why = known?.message ?? toError(cause).message;
  const code = known?.code ?? 'DATABASE_CONNECTION_LOST';
  return new TendError(code, `Backup set "${id}" could not be verified: ${why}`, {
    cause,
    hint: `Nothing is known against it. Try again: tend backup verify ${id} --restore`,
  });
}

function cannotBeRestored(id: string, cause: unknown): TendError {
  const { message } = toError(cause);
  const details = cause instanceof TendError ? cause.details : undefined;
  return new TendError('BACKUP_DAMAGED', `Backup set "${id}" does not pass a test restore: ${message}`, {
    cause,
    isPermanent: true,
    ...(details !== undefined && { details }),
    hint: 'Keep it for now, and take another: tend backup',
  });
}
