import { readdir, readFile } from 'node:fs/promises';

/** Names in a directory, in order; none where it is not there or closed: what is looked for is then not found. */
export async function listDirectory(path: string): Promise<string[]> {
  return await readdir(path).then(
    (names) => names.sort(),
    () => [],
  );
}

/** The text of a file; undefined where it is not there or closed. */
export async function readIfReadable(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined);
}
