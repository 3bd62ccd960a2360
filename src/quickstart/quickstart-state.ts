import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import { TendError, toError } from '../errors.ts';
import type { QuickstartPlaces } from './quickstart-places.ts';

const stateSchema = v.object({
  /** Process that is at work here, or that made what is kept. */
  pid: v.number(),
  /** Unset until a place for the server was found. */
  serverDirectory: v.optional(v.string()),
  /** True when the server stays until `quickstart --stop`. */
  isKept: v.boolean(),
});

/** What `.tend/quickstart.json` remembers. */
export type QuickstartState = v.InferOutput<typeof stateSchema>;

/** The state of the quickstart here; undefined where none is, or the file is not ours. */
export async function readState({ stateFile }: QuickstartPlaces): Promise<QuickstartState | undefined> {
  try {
    const parsed = v.safeParse(stateSchema, JSON.parse(await readFile(stateFile, 'utf8')));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes the place for this process, before anything else is made in it. Of two at once, one gets it.
 *
 * @returns false when somebody else has it.
 * @throws TendError OUTPUT_UNWRITABLE.
 */
export async function claimPlace(places: QuickstartPlaces, pid: number): Promise<boolean> {
  try {
    await makeRoot(places.root);
    await using file = await open(places.stateFile, 'wx');
    await file.writeFile(format({ pid, isKept: false }));
    return true;
  } catch (thrown) {
    const error = toError(thrown);
    if ('code' in error && error.code === 'EEXIST') return false;
    throw new TendError('OUTPUT_UNWRITABLE', `"${places.root}" cannot be written: ${error.message}`, {
      cause: error,
      hint: 'Run the quickstart in a directory of your own.',
    });
  }
}

/** Not with mkdir's `recursive`, which never comes back from a place such as /proc. */
async function makeRoot(root: string): Promise<void> {
  await mkdir(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Replaces the state as a whole. */
export async function writeState({ stateFile }: QuickstartPlaces, state: QuickstartState): Promise<void> {
  await writeFile(`${stateFile}.new`, format(state));
  await rename(`${stateFile}.new`, stateFile);
}

function format(state: QuickstartState): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}
