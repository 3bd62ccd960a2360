import { TendError } from '../errors.ts';
import { chooseServerDirectory } from './choose-server-directory.ts';
import { isServerAlive } from './demo-server.ts';
import type { QuickstartPlaces } from './quickstart-places.ts';
import { claimPlace, readState, writeState } from './quickstart-state.ts';
import { removeQuickstart } from './remove-quickstart.ts';
import { startServerGuard } from './server-guard.ts';
import type { ServerUser } from './server-user.ts';
import { typedQuickstart } from './typed-session.ts';

/** The directories of one quickstart. Disposing stops the server and removes everything, unless it is to stay. */
export interface OccupiedPlace extends AsyncDisposable {
  serverDirectory: string;
  /** Lets everything stay, also after this process: until `quickstart --stop`. */
  keep(): Promise<void>;
}

export interface OccupyPlaceOptions {
  places: QuickstartPlaces;
  user: ServerUser | undefined;
  pid: number;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/**
 * Takes the place for this process, makes the server's directory and starts the guard that cleans up after a
 * `kill -9`. What a quickstart left that was killed together with its guard is removed first.
 *
 * @throws TendError MUTEX_BUSY while another one is here, at work or kept.
 */
export async function occupyPlace(options: OccupyPlaceOptions): Promise<OccupiedPlace> {
  const { places, pid } = options;
  await removeRemains(options);
  if (!(await claimPlace(places, pid))) throw busy(options, 'another one has just begun');
  let serverDirectory: string;
  let guard: Awaited<ReturnType<typeof startServerGuard>>;
  try {
    serverDirectory = await chooseServerDirectory(options);
    await writeState(places, { pid, serverDirectory, isKept: false });
    guard = await startServerGuard({ ...options, serverDirectory });
  } catch (error) {
    await removeQuickstart(places);
    throw error;
  }
  let isKept = false;
  return {
    serverDirectory,
    async keep() {
      await writeState(places, { pid, serverDirectory, isKept: true });
      isKept = true;
    },
    async [Symbol.asyncDispose]() {
      if (!isKept) await removeQuickstart(places);
      await guard.dismiss();
    },
  };
}

async function removeRemains(options: OccupyPlaceOptions): Promise<void> {
  const { places, pid } = options;
  const state = await readState(places);
  if (await isServerAlive(state?.serverDirectory ?? places.postgres)) {
    throw busy(options, state?.isKept === true ? 'one was kept, and its server runs' : 'one is at work');
  }
  if (state !== undefined && !state.isKept && state.pid !== pid && isProcessAlive(state.pid)) {
    throw busy(options, `process ${state.pid} is at work`);
  }
  await removeQuickstart(places);
}

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and another user's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function busy({ places, env }: OccupyPlaceOptions, reason: string): TendError {
  return new TendError('MUTEX_BUSY', `There is a quickstart in "${places.root}" already: ${reason}.`, {
    hint: `Stop and remove it: ${typedQuickstart(env, '--stop')}`,
  });
}
