import { PassThrough } from 'node:stream';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { runTool } from '../../processes/run-tool.ts';
import type { Identity } from '../parts/find-identity.ts';
import { aboutSet, readPart } from '../parts/read-part.ts';
import { runTogether } from '../parts/run-together.ts';
import { toNowhere } from '../parts/to-nowhere.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import type { ManifestPart } from '../sets/manifest.ts';
import { findTar } from '../tools/find-tar.ts';

export interface VerifyFilesOptions {
  set: BackupSet;
  /** The one that holds files. */
  part: ManifestPart;
  /** Opens an encrypted set. */
  identity?: Identity | undefined;
  /** How long tar may neither read nor write; two minutes unless told. */
  silenceMs?: number;
  env: NodeJS.ProcessEnv;
  log: Log;
  signal: AbortSignal;
}

const patienceMs = 2 * 60_000;

/**
 * Reads the files of a set from beginning to end, and has tar list them. Where there is no GNU tar, as on a machine that only
 * keeps sets, the SHA-256 and the checksums of the compression must do.
 *
 * @throws TendError BACKUP_DAMAGED, BACKUP_KEY_MISSING, BACKUP_KEY_WRONG, TOOL_TIMED_OUT.
 */
export async function verifyFiles(options: VerifyFilesOptions): Promise<void> {
  const { set, part, silenceMs = patienceMs, env, log, signal } = options;
  const tar = await tarIfThere(options);
  if (tar === undefined) {
    await readPart({ ...options, target: toNowhere() });
    return;
  }
  const archive = new PassThrough();
  const failures: unknown[] = [];
  await runTogether({
    signal,
    joints: [archive],
    members: [
      // To the end also when tar has failed: that its bytes are others says more than what tar made of them.
      async (stop) => await readPart({ ...options, target: archive, signal: stop }),
      async (stop) => {
        const listing = runTool({
          file: tar,
          args: ['--list', '--file=-'],
          baseEnv: env,
          env: { LC_ALL: 'C' },
          input: archive,
          stdout: toNowhere(),
          silenceMs,
          log,
          signal: stop,
        });
        await listing.catch((error: unknown) => failures.push(error));
      },
    ],
  });
  if (failures.length > 0) throw aboutSet(set.id, part.file, failures[0]);
}

async function tarIfThere(options: VerifyFilesOptions): Promise<string | undefined> {
  try {
    return await findTar(options);
  } catch (error) {
    if (!(error instanceof TendError) || error.code !== 'TOOL_NOT_FOUND') throw error;
    options.log.warn(`The files are not listed, only read: ${error.message}`);
    return undefined;
  }
}
