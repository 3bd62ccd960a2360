import { PassThrough, type Writable } from 'node:stream';
import { compress } from './compression.ts';
import { encrypt } from './encryption.ts';
import { Meter } from './meter.ts';
import { runTogether } from './run-together.ts';
import type { WritePartOptions } from './write-part.ts';

export type FillPartOptions = WritePartOptions & { target: Writable };

/**
 * Fills `target` with what is produced, compressed and encrypted, through this process: where a program is missing, Node
 * does its part.
 *
 * @returns how many bytes were produced.
 */
export async function fillPart(options: FillPartOptions): Promise<number> {
  const { target, recipients, produce } = options;
  const isEncrypted = recipients.length > 0;
  const content = new Meter();
  const compressed = new PassThrough({ highWaterMark: 1024 * 1024 });
  await runTogether({
    signal: options.signal,
    joints: [content, compressed],
    members: [
      async (signal) => await produce(content, signal),
      async (signal) =>
        await compress({ ...options, source: content, target: isEncrypted ? compressed : target, signal }),
      async (signal) => {
        if (isEncrypted) await encrypt({ ...options, source: compressed, target, signal });
      },
    ],
  });
  return content.bytes;
}
