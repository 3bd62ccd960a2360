import { exitCodes } from '../exit-codes.ts';

/** The exit-code table as a list, for help and docs. */
export function listExitCodes(): { code: number; name: string; meaning: string }[] {
  return Object.entries(exitCodes).map(([name, { code, meaning }]) => ({ code, name, meaning }));
}
