import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkConfigSource } from '../config/check-config-source.ts';
import { type LoadedConfig, loadConfig } from '../config/load-config.ts';
import { userCrontabLines } from '../crontab/cron-lines.ts';
import { describeTickCall } from '../crontab/describe-tick-call.ts';
import { TendError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { findApplication } from '../init/find-application.ts';
import { type FoundApplication, proposeConfig } from '../init/propose-config.ts';
import { configIsThere, writeNewConfig } from '../init/write-new-config.ts';
import { shellWord } from '../shell-word.ts';
import { type Asking, askYes } from './ask-yes.ts';
import type { CommandBody, CommandContext, CommandOutcome } from './command-context.ts';
import { openResources } from './open-resources.ts';
import { type PreparedDatabase, prepareDatabase } from './prepare-database.ts';
import type { ProcessHost } from './process-host.ts';

export interface InitOptions {
  host: ProcessHost;
  /** The application's folder, absolute. */
  folder: string;
  etc: string;
  /** `--config`, which has no place here: the file is the folder's tend.toml. */
  configFlag: string | undefined;
  /** oclif leaves a flag undefined that was not given. */
  isDryRun: boolean | undefined;
  migrates: boolean;
  grantTo: readonly string[];
  /** Where a person is asked; the signal is the context's. */
  asking: Omit<Asking, 'signal'>;
  /** Node, and tend's `bin/run.js`. */
  program: { node: string; entry: string };
}

/** Looks, proposes, asks, writes, migrates; and says how cron is to call it. */
export function initBody(options: InitOptions): CommandBody {
  return async (context) => {
    const { folder, host, etc, isDryRun } = options;
    const { env, signal, secrets, output } = context;
    const path = join(folder, 'tend.toml');
    refuse(options);
    if (existsSync(path)) throw configIsThere(path);
    const { osUser, home } = host;
    const found = await findApplication({ folder, etc, env, osUser, home, secrets, signal });
    const source = proposeConfig(found);
    checkConfigSource({ path, source });
    output.print(source);

    const asking: Asking = { ...options.asking, signal };
    const isWritten = !isDryRun && (await askYes(`Write ${path}?`, asking));
    if (!isWritten)
      return outcome({ options, found, path, source, isWritten, prepared: null, crontab: null });
    await writeNewConfig(path, source);
    output.print(`Wrote ${path}.`);
    const loaded = loadConfig({ cwd: folder, env, configFlag: path, overrides: [], secrets });
    const prepared = await migrate({ options, context, found, loaded, asking });
    const crontab = crontabLine(options, loaded);
    return outcome({ options, found, path, source, isWritten, prepared, crontab });
  };
}

function refuse({ folder, configFlag }: InitOptions): void {
  if (configFlag !== undefined) {
    throw new TendError('USAGE', '"init" knows no --config: it writes tend.toml in the folder named.', {
      hint: 'tend init FOLDER',
    });
  }
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new TendError('INPUT_MISSING', `"${folder}" is no folder.`, { isPermanent: true });
}

interface MigrateOptions {
  options: InitOptions;
  context: CommandContext;
  found: FoundApplication;
  loaded: LoadedConfig;
  asking: Asking;
}

async function migrate({
  options,
  context,
  found,
  loaded,
  asking,
}: MigrateOptions): Promise<PreparedDatabase | null> {
  const { host, migrates, grantTo } = options;
  const { log, secrets } = context;
  if (!migrates || found.database.database === undefined) return null;
  await using resources = openResources({ host, commandId: 'init', loaded, log, secrets });
  const { database } = await resources.connection();
  if (!(await askYes(`Create schema "tend" in the database "${database}"?`, asking))) return null;
  return await prepareDatabase({ db: await resources.openDatabase(), config: loaded.config, grantTo });
}

/** Undefined where a crontab could not call this copy of tend: from npx's cache. */
function crontabLine({ host, program }: InitOptions, loadedConfig: LoadedConfig): string | null {
  try {
    const call = describeTickCall({ loadedConfig, osUser: host.osUser, choices: {}, ...program });
    return userCrontabLines(call, { above: [] }).join('\n');
  } catch (error) {
    if (error instanceof TendError) return null;
    throw error;
  }
}

interface OutcomeOptions {
  options: InitOptions;
  found: FoundApplication;
  path: string;
  source: string;
  isWritten: boolean;
  prepared: PreparedDatabase | null;
  crontab: string | null;
}

function outcome(done: OutcomeOptions): CommandOutcome {
  const { options, found, path, source, isWritten, prepared, crontab } = done;
  const { database, services, health, catalogs } = found;
  const hasDatabase = database.database !== undefined;
  const next = nextCommands(options.folder, { hasDatabase, isPrepared: prepared !== null });
  return {
    result: {
      file: path,
      found: {
        framework: found.framework ?? null,
        database: database.database ?? null,
        rejected: database.rejected,
        restart: services[0]?.restart ?? null,
        check: health.check ?? null,
        translations: catalogs ?? null,
      },
      proposed: source,
      isWritten,
      migrations: prepared,
      crontab,
      next,
    },
    exitCode: isWritten && !hasDatabase ? exitCodes.pending.code : exitCodes.ok.code,
    render(output) {
      if (!isWritten) {
        output.summary('Nothing was written.');
        return;
      }
      if (prepared !== null) output.print(`Schema "tend": ${prepared.applied.length} migrations applied.`);
      for (const role of prepared?.grantedTo ?? []) output.print(`Granted the SQL API to "${role}".`);
      if (!hasDatabase) output.warn(`no database was found: say in ${path} which one`);
      if (crontab !== null) output.print(`\nFor cron (or: tend crontab --help):\n${crontab}`);
      output.print(`\nNext:\n${next.map((command) => `  ${command}`).join('\n')}`);
    },
  };
}

function nextCommands(
  folder: string,
  { hasDatabase, isPrepared }: { hasDatabase: boolean; isPrepared: boolean },
): string[] {
  const enter = `cd ${shellWord(folder)}`;
  if (!hasDatabase) return [`${enter} && tend config validate`, 'tend migrations up', 'tend crontab install'];
  if (!isPrepared) return [`${enter} && tend migrations up`, 'tend crontab install', 'tend doctor'];
  return [`${enter} && tend crontab install`, 'tend doctor', 'tend status'];
}
