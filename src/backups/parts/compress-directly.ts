import type { Writable } from 'node:stream';
import { TendError } from '../../errors.ts';
import type { DirectPipe } from '../../processes/direct-pipe.ts';
import { isInstalled } from '../../processes/is-installed.ts';
import { runTool } from '../../processes/run-tool.ts';
import { type Compression, type CompressionContext, zstdArguments } from './compression.ts';

/** Makes the program say at its end how much it has read, to the byte, and nothing before that grows with it. */
const counting = ['-vv', '--no-progress'];

/** What it says with that before it begins. */
const chatter = /^(\*\*\*|--|Using std|Decompression will require)/;

/**
 * Compresses what another program writes, with the `zstd` program, and counts it: nobody else sees those bytes.
 *
 * @returns how many bytes came in.
 */
export async function compressDirectly(
  options: CompressionContext & {
    source: DirectPipe;
    target: Writable | DirectPipe;
    compression: Compression;
  },
): Promise<number> {
  const { source, target, compression, env, signal } = options;
  const args = [...counting, ...zstdArguments(compression)];
  const { outputTail } = await runTool({
    ...{ file: 'zstd', args, baseEnv: env, input: source, stdout: target, chatter, signal },
  });
  const bytes = bytesRead(outputTail);
  if (bytes !== undefined) return bytes;
  throw new TendError('TOOL_FAILED', '"zstd" ended well, and did not say how much it had read.');
}

/**
 * Whether the `zstd` on PATH can be used so; one that words its report in another way than 1.3 to 1.5.7 do cannot. It
 * is tried out each time, which takes some milliseconds.
 */
export async function canCompressDirectly({ env, signal }: CompressionContext): Promise<boolean> {
  if (!isInstalled('zstd', env)) return false;
  const args = [...counting, '--stdout'];
  const tried = runTool({ file: 'zstd', args, baseEnv: env, input: 'probe', stdout: 'capture', signal });
  const said = await tried.then(
    ({ outputTail }) => outputTail,
    () => '',
  );
  signal.throwIfAborted();
  return bytesRead(said) === 'probe'.length;
}

/** `/*stdin*\ : 49.14%   (9056437 B => 4450241 B, /*stdout*\)`; before 1.5, `(9056437 => 4450241 bytes, …`. */
function bytesRead(said: string): number | undefined {
  const found = /\( *(\d+)(?: B)? => /.exec(said)?.[1];
  return found === undefined ? undefined : Number(found);
}
