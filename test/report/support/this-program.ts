import { fileURLToPath } from 'node:url';
import { systemHost } from '../../../src/cli/process-host.ts';

/** The built program of this tree, as `tend doctor` knows itself. */
export const thisProgram = {
  node: process.execPath,
  entry: fileURLToPath(new URL('../../../bin/run.js', import.meta.url)),
  osUser: systemHost().osUser,
};
