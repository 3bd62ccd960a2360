import { Writable } from 'node:stream';
import type { Log } from '../../log.ts';
import { runTool } from '../../processes/run-tool.ts';
import { ToolError } from '../../processes/tool-error.ts';
import { type PackArguments, packArguments } from '../tools/tar-arguments.ts';
import { unescapeName } from '../tools/tar-messages.ts';
import type { FileRoot } from './file-roots.ts';

export interface MeasureFilesOptions extends Omit<PackArguments, 'sharesFiles'> {
  /** Path of GNU tar. */
  tar: string;
  env: NodeJS.ProcessEnv;
  log: Log;
  signal: AbortSignal;
}

/** A root with what is in it. */
export interface MeasuredRoot extends FileRoot {
  bytes: number;
  entries: number;
}

export interface MeasuredFiles {
  roots: MeasuredRoot[];
  /** Of the archive, before compression. */
  archiveBytes: number;
  sharesFiles: boolean;
}

/**
 * Finds out how large the archive of the roots will be. tar that writes to /dev/null reads no file, only names and
 * sizes, and leaves out what it will leave out. Files that come and go meanwhile make it an estimate.
 */
export async function measureFiles(options: MeasureFilesOptions): Promise<MeasuredFiles> {
  const { tar, roots, env, log, signal } = options;
  const list = new ListReader(roots);
  const args = packArguments({ ...options, sharesFiles: false });
  const { exitCode, outputTail } = await runTool({
    file: tar,
    args: ['--create', '--file=/dev/null', '--totals', '--verbose', '--verbose', ...args],
    baseEnv: env,
    env: { LC_ALL: 'C' },
    stdout: list,
    okExitCodes: [0, 1, 2], // what it cannot read is said when the archive is made
    log,
    signal,
  });
  const total = /^Total bytes written: (\d+)/m.exec(outputTail)?.[1];
  if (total === undefined)
    throw new ToolError('TOOL_FAILED', '"tar" did not say how large the files are.', {
      exitCode,
      outputTail,
    });
  return { roots: list.roots, archiveBytes: Number(total), sharesFiles: list.sharesFiles };
}

/** Mode, owner, size, date, time and name, as `tar -tv` lists them; a device has another thing for a size. */
const entry = /^(?<type>.)\S+ +\S+ +(?<size>[\d,]+) \S+ \S+ (?<name>.*)$/;

/** Sums up the list that tar writes, line by line: it may be long. */
class ListReader extends Writable {
  readonly roots: MeasuredRoot[];
  sharesFiles = false;
  #rest = '';

  constructor(roots: readonly FileRoot[]) {
    super();
    this.roots = roots.map((root) => ({ ...root, bytes: 0, entries: 0 }));
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#read(line);
    callback();
  }

  #read(line: string): void {
    const { type, size = '', name = '' } = entry.exec(line)?.groups ?? {};
    if (type === undefined) return;
    const [own = '', linked] = type === 'h' ? name.split(' link to ') : [name];
    const root = this.#rootOf(own);
    if (root === undefined) return;
    root.entries += 1;
    root.bytes += Number(size) || 0;
    if (linked !== undefined && this.#rootOf(linked) !== root) this.sharesFiles = true;
  }

  #rootOf(name: string): MeasuredRoot | undefined {
    if (this.roots.length === 1) return this.roots[0];
    const full = unescapeName(name);
    return this.roots.find(({ member }) => full === member || full.startsWith(`${member}/`));
  }
}
