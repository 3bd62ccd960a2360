import type { Readable } from 'node:stream';
import type { WritePartOptions } from '../../../src/backups/parts/write-part.ts';
import { runTool } from '../../../src/processes/run-tool.ts';

/** For `writePart`: this as the output of a program. */
export function produceFrom(input: Readable | Buffer): WritePartOptions['produce'] {
  return async (stdout, signal) =>
    await runTool({ file: 'cat', args: [], baseEnv: { PATH: '/usr/bin:/bin' }, input, stdout, signal });
}
