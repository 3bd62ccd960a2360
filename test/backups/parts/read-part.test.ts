import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readPart } from '../../../src/backups/parts/read-part.ts';
import { writePart } from '../../../src/backups/parts/write-part.ts';
import { filesIn } from '../../../src/backups/sets/backup-directory.ts';
import { silentLog } from '../../../src/log.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { flipByte } from '../support/flip-byte.ts';
import { produceFrom } from '../support/produce-from.ts';

const { signal } = new AbortController();
const context = { env: process.env, log: silentLog, signal };

test.each([
  { title: 'good', flipped: false },
  { title: 'damaged after what was read', flipped: true },
])('a reader that has what it wants may end before the part does: $title', async ({ flipped }) => {
  await using place = await temporaryDirectory();
  const content = randomBytes(4_000_000);
  const part = await writePart({
    ...{ ...context, directory: place.path, name: 'part', holds: 'database', recipients: [] },
    compression: { format: 'none', level: 0 },
    produce: produceFrom(content),
  });
  if (flipped) flipByte(join(place.path, part.file), 0.999);
  const target = new PassThrough();
  target.once('data', () => target.destroy());
  const set = { id: 'x', path: place.path, files: filesIn(place.path) };
  const reading = readPart({ ...context, set: { ...set, manifest: undefined as never }, part, target });
  if (flipped) await expect(reading).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  else expect(await reading).toEqual({ bytes: content.length, uncompressedBytes: content.length });
});
