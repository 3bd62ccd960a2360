import type { Stats } from 'ssh2';
import type { SftpWork } from './sftp-store.ts';
import { readFrom } from './sftp-transfer.ts';

/** The bytes of a file from `offset` to its end. */
export async function* readSftpFile(
  { session, path }: SftpWork,
  { id, file, offset }: { id: string; file: string; offset: number },
): AsyncGenerator<Buffer> {
  const handle = await session.ask<Buffer>((sftp, answer) => sftp.open(`${path}/${id}/${file}`, 'r', answer));
  const { size } = await session.ask<Stats>((sftp, answer) => sftp.fstat(handle, answer));
  yield* readFrom({ session, handle }, { offset, size });
  await session.ask<void>((sftp, answer) => sftp.close(handle, (error) => answer(error)));
}
