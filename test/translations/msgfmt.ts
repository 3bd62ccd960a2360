import type { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';

const version = spawnSync('msgfmt', ['--version']).stdout?.toString() ?? '';

/** Later versions rewrite the charset and some format strings: their files differ in bytes that mean the same. */
export const isOracle = version.includes('0.21');

/** `TEND_FUZZ=100` makes a hundred times as many inputs. */
const factor = Number(process.env['TEND_FUZZ'] ?? 1);

export function fuzzRuns(count: number): number {
  return Math.ceil(count * factor);
}

export const fuzzTimeoutMs = 60_000 * Math.max(1, factor);

export interface MsgfmtResult {
  /** The .mo file, or undefined where msgfmt refuses the catalog. */
  output: Buffer | undefined;
  /** `line: message`. */
  errors: string[];
}

/** What `msgfmt -c` makes of a catalog. */
export function runMsgfmt(po: string | Buffer): MsgfmtResult {
  const { status, stdout, stderr } = spawnSync('msgfmt', ['-c', '-o', '-', '-'], {
    input: po,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    maxBuffer: 2 ** 26,
  });
  const lines = stderr.toString().split('\n');
  return {
    output: status === 0 ? stdout : undefined,
    errors: lines
      .map((line) => line.replace(/^(?:msgfmt: )?<stdin>:/, ''))
      .filter((line) => /^\d+: (?!warning)/.test(line)),
  };
}
