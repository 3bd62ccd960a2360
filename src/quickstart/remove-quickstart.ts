import { rm, rmdir } from 'node:fs/promises';
import { TendError, toError } from '../errors.ts';
import { stopDemoServer } from './demo-server.ts';
import { isServerDirectory, type QuickstartPlaces } from './quickstart-places.ts';
import { readState } from './quickstart-state.ts';

/**
 * Stops the server of the quickstart here and removes everything it made; what is not there is passed over. `.tend`
 * itself goes only when nothing else is in it.
 *
 * @returns whether there was something.
 * @throws TendError OUTPUT_UNWRITABLE where it belongs to another user.
 */
export async function removeQuickstart(places: QuickstartPlaces): Promise<boolean> {
  const state = await readState(places);
  const recorded = state?.serverDirectory;
  const directories = new Set([places.postgres]);
  if (recorded !== undefined && isServerDirectory(places, recorded)) directories.add(recorded);
  // What was just stopped may still be writing its last lines.
  const patiently = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 };
  try {
    for (const directory of directories) {
      await stopDemoServer(directory);
      await rm(directory, patiently);
    }
    await rm(places.demo, patiently);
    await rm(places.stateFile, { force: true });
  } catch (thrown) {
    const error = toError(thrown);
    throw new TendError('OUTPUT_UNWRITABLE', `"${places.root}" cannot be cleaned up: ${error.message}`, {
      cause: error,
      hint: 'Clean it up as the user who made it: tend quickstart --stop',
    });
  }
  await rmdir(places.root).catch(() => undefined);
  return state !== undefined;
}
