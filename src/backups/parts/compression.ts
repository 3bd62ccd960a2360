import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { Log } from '../../log.ts';
import { DirectFile } from '../../processes/direct-file.ts';
import { DirectPipe } from '../../processes/direct-pipe.ts';
import { isInstalled } from '../../processes/is-installed.ts';
import { runTool } from '../../processes/run-tool.ts';
import type { ManifestPart } from '../sets/manifest.ts';

export interface CompressionContext {
  env: NodeJS.ProcessEnv;
  log: Log;
  signal: AbortSignal;
}

/** `[backup] compression`, read: the format, and the level of zstd; and with how many threads (one unless told). */
export interface Compression {
  format: ManifestPart['compression'];
  level: number;
  threads?: number | undefined;
}

/** Reads `none`, `zstd` or `zstd:LEVEL`; the configuration has checked that it is one of these. */
export function parseCompression(text: string, threads?: number): Compression {
  const [format, level] = text.split(':');
  return format === 'none' ? { format, level: 0 } : { format: 'zstd', level: Number(level ?? 3), threads };
}

/** Which of the two implementations will be used; both write and read the same format. */
export function compressorName(compression: Compression, env: NodeJS.ProcessEnv): string {
  if (compression.format === 'none') return 'none';
  return isInstalled('zstd', env) ? 'zstd' : 'node:zlib';
}

/**
 * Compresses `source` into `target`, with zstd's own checksum. The `zstd` program works beside us and is faster;
 * where it is not installed Node's own is used (its checksum is off unless asked for, its threads are broken).
 */
export async function compress(
  options: CompressionContext & { source: Readable; target: Writable; compression: Compression },
): Promise<void> {
  const { source, target, compression, env, log, signal } = options;
  if (compression.format === 'none') {
    await pipeline(source, target, { signal });
  } else if (isInstalled('zstd', env)) {
    const args = ['--quiet', ...zstdArguments(compression)];
    await runTool({ file: 'zstd', args, baseEnv: env, input: source, stdout: target, log, signal });
  } else {
    const params = {
      [constants.ZSTD_c_compressionLevel]: compression.level,
      [constants.ZSTD_c_checksumFlag]: 1,
    };
    await pipeline(source, createZstdCompress({ params }), target, { signal });
  }
}

/** Whether `decompress` is done by a program, which can take its input from another and write a file itself. */
export function isDecompressedByProgram(format: Compression['format'], env: NodeJS.ProcessEnv): boolean {
  return format === 'zstd' && isInstalled('zstd', env);
}

/** Decompresses `source` into `target`. */
export async function decompress(
  options: CompressionContext & {
    /** A direct pipe only where `isDecompressedByProgram`. */
    source: Readable | DirectPipe;
    target: Writable | DirectFile;
    format: Compression['format'];
  },
): Promise<void> {
  const { source, target, format, env, log, signal } = options;
  if (source instanceof DirectPipe || isDecompressedByProgram(format, env)) {
    const args = ['--quiet', '--decompress', '--stdout', '--memory=2048MB'];
    await runTool({ file: 'zstd', args, baseEnv: env, input: source, stdout: target, log, signal });
    return;
  }
  const stream = target instanceof DirectFile ? target.createWriteStream() : target;
  if (format === 'none') await pipeline(source, stream, { signal });
  else await pipeline(source, createZstdDecompress(), stream, { signal });
}

/** How the `zstd` program is to compress its standard input. */
export function zstdArguments({ level, threads = 1 }: Compression): string[] {
  return ['--stdout', '--check', `--threads=${threads}`, ...levelArguments(level)];
}

function levelArguments(level: number): string[] {
  if (level < 0) return [`--fast=${-level}`];
  return level > 19 ? ['--ultra', `-${Math.min(level, 22)}`] : [`-${level === 0 ? 3 : level}`];
}
