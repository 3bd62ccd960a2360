import { createWriteStream, fstatSync, type WriteStream, write, writev } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ToolError } from './tool-error.ts';

/**
 * A new file (0600) that a program which `runTool` runs writes itself: its content is never seen here, which costs a
 * fraction of what passing it on does. Where there is no such program, a stream writes it.
 */
export class DirectFile implements AsyncDisposable {
  readonly path: string;
  readonly handle: FileHandle;
  #writeError: Error | undefined;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  /** @throws NodeJS.ErrnoException EEXIST and whatever else the file system says. */
  static async create(path: string): Promise<DirectFile> {
    return new DirectFile(path, await open(path, 'wx+', 0o600));
  }

  /** Written so far. */
  get bytes(): number {
    return fstatSync(this.handle.fd).size;
  }

  /** Why the file system did not take what was written: whatever else is said about its content then is of no account. */
  get writeError(): Error | undefined {
    return this.#writeError;
  }

  /** Neither its end nor its destruction closes the file. */
  createWriteStream(): WriteStream {
    const stream = createWriteStream(this.path, {
      fd: this.handle.fd, // the handle itself would then wait for the stream with its closing
      autoClose: false,
      fs: { write, writev, close: (_fd: number, done: (error?: null) => void) => done(null) },
      highWaterMark: 4 * 1024 * 1024,
    });
    return stream.on('error', (error) => {
      if ('syscall' in error) this.#writeError = error;
    });
  }

  /** A program that wrote it failed: whether for the sake of the file system, is only in what it said. */
  noteFailure(error: unknown): void {
    if (!(error instanceof ToolError)) return;
    const said = /No space left on device|Disk quota exceeded|File too large|Input\/output error/.exec(
      error.outputTail,
    )?.[0];
    if (said === undefined) return;
    this.#writeError = Object.assign(
      new Error(`${codes[said]}: ${said.toLowerCase()}, write`, { cause: error }),
      {
        code: codes[said],
        syscall: 'write',
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close();
  }
}

/** What the C library says to a program that sets no locale, and the code that Node gives it. */
const codes: Record<string, string> = {
  'No space left on device': 'ENOSPC',
  'Disk quota exceeded': 'EDQUOT',
  'File too large': 'EFBIG',
  'Input/output error': 'EIO',
};
