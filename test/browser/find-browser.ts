import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** The first browser of the Chromium family on the PATH, or undefined. */
export function findBrowser(path: string): string | undefined {
  const places = path.split(delimiter).flatMap((directory) => names.map((name) => join(directory, name)));
  return places.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
