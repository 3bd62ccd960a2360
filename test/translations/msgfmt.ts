import type { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const version = spawnSync('msgfmt', ['--version']).stdout?.toString() ?? '';

/** Later versions rewrite the charset and some format strings: their files differ in bytes that mean the same. */
export const isOracle = version.includes('0.21');

/** `TEND_FUZZ=100` makes a hundred times as many inputs. */
const factor = Number(process.env['TEND_FUZZ'] ?? 1);

/** How many inputs a property is given; a long run has no limit of time. */
export function fuzzRuns(count: number): number {
  return Math.ceil(count * factor);
}

export const fuzzTimeoutMs = 60_000 * Math.max(1, factor);

export interface MsgfmtResult {
  /** Undefined where msgfmt refuses the catalog. */
  output: Buffer | undefined;
  errors: string;
}

/** What `msgfmt -c` makes of a catalog. */
export async function runMsgfmt(po: string | Buffer): Promise<MsgfmtResult> {
  await using directory = await temporaryDirectory();
  const [source, output] = [join(directory.path, 'x.po'), join(directory.path, 'x.mo')];
  await writeFile(source, po);
  const { status, stderr } = spawnSync('msgfmt', ['-c', '-o', output, source], {
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    maxBuffer: 2 ** 26,
  });
  return {
    output: status === 0 ? await readFile(output) : undefined,
    errors: stderr.toString().replaceAll(`${source}:`, ''),
  };
}
