import { PassThrough } from 'node:stream';
import { DirectPipe } from '../../processes/direct-pipe.ts';
import { compressDirectly } from './compress-directly.ts';
import { encrypt, encryptorName } from './encryption.ts';
import type { FillPartOptions } from './fill-part.ts';
import { runTogether } from './run-together.ts';

/**
 * As `fillPart` does, where the programs are there: the content goes from one to the next without passing by this
 * process, which sees only what is to be stored. That halves the work of a backup, and its memory does not grow.
 *
 * A program of the chain that dies looks to the next like the end of the content: `target` is whole only if all of them
 * ended well, which is when this resolves.
 */
export async function fillPartDirectly(options: FillPartOptions): Promise<number> {
  const { target, recipients, produce, env } = options;
  const isEncrypted = recipients.length > 0;
  const content = new DirectPipe();
  const compressed =
    encryptorName(recipients, env) === 'age'
      ? new DirectPipe()
      : new PassThrough({ highWaterMark: 1024 * 1024 });
  let bytes = 0;
  await runTogether({
    signal: options.signal,
    joints: [content, compressed],
    members: [
      async (signal) => await produce(content, signal),
      async (signal) => {
        const stdout = isEncrypted ? compressed : target;
        bytes = await compressDirectly({ ...options, source: content, target: stdout, signal });
      },
      async (signal) => {
        if (isEncrypted) await encrypt({ ...options, source: compressed, target, signal });
      },
    ],
  });
  return bytes;
}
