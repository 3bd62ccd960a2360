import type { FileHandle } from 'node:fs/promises';

/** Fills `buffer` with what stands from `position` on. A file that ends before was changed behind our back. */
export async function readExactly(handle: FileHandle, buffer: Buffer, position: number): Promise<void> {
  for (let filled = 0; filled < buffer.length; ) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) throw new Error(`the file ends ${buffer.length - filled} bytes too early`);
    filled += bytesRead;
  }
}
