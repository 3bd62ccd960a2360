import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readPart } from '../../../src/backups/parts/read-part.ts';
import { writePart } from '../../../src/backups/parts/write-part.ts';
import { filesIn } from '../../../src/backups/sets/backup-directory.ts';
import type { Manifest, ManifestPart } from '../../../src/backups/sets/manifest.ts';
import { silentLog } from '../../../src/log.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { ageRoads, newKey } from '../support/age-keys.ts';
import { produceFrom } from '../support/produce-from.ts';

const { signal } = new AbortController();
const path = process.env['PATH'] ?? '/usr/bin:/bin';
const owner = await newKey(tmpdir());
afterAll(() => rmSync(dirname(owner.identity.path), { recursive: true }));

let place: TemporaryDirectory;
beforeEach(async () => {
  place = await temporaryDirectory();
});
afterEach(async () => await place[Symbol.asyncDispose]());

/** The environment with a program of this name first on its PATH. */
function withProgram(name: string, script: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const directory = mkdtempSync(join(place.path, 'tools-'));
  writeFileSync(join(directory, name), `#!/bin/sh\nPATH=${path}\n${script}\n`, { mode: 0o755 });
  return { ...env, PATH: `${directory}${delimiter}${env['PATH']}` };
}

async function write(options: { content: Buffer; recipients: string[]; env: NodeJS.ProcessEnv }) {
  return await writePart({
    ...{ directory: place.path, name: 'part', holds: 'database', log: silentLog, signal },
    ...{ recipients: options.recipients, env: options.env },
    compression: { format: 'zstd', level: 1 },
    produce: produceFrom(options.content),
  });
}

async function read(part: ManifestPart): Promise<Buffer> {
  const manifest = { id: 'x', recipients: [owner.recipient] } as unknown as Manifest; // all that is read of it
  const set = { id: 'x', path: place.path, files: filesIn(place.path), manifest };
  const target = new PassThrough();
  const context = { env: process.env, log: silentLog, signal };
  const [content] = await Promise.all([
    buffer(target),
    readPart({ ...context, set, part, target, identity: owner.identity }),
  ]);
  return content;
}

const roads = [
  { road: 'the programs', env: ageRoads.at(-1)?.env ?? process.env },
  { road: 'zstd alone', env: process.env },
  { road: 'a zstd that words its report in another way', env: ageRoads.at(-1)?.env, mute: true },
  { road: 'Node alone', env: { ...process.env, PATH: '/nowhere' } },
];

describe.each(roads)('through $road', ({ env = process.env, mute = false }) => {
  test.each([
    { bytes: 1, recipients: [] },
    { bytes: 5_000_001, recipients: [] },
    { bytes: 1, recipients: [owner.recipient] },
    { bytes: 5_000_001, recipients: [owner.recipient] },
  ])(
    '$bytes bytes, for $recipients.length recipients, are counted to the byte and come back',
    async (part) => {
      const content = Buffer.concat([randomBytes(Math.ceil(part.bytes / 2)), Buffer.alloc(part.bytes)]);
      const wanted = content.subarray(0, part.bytes);
      const quiet = 'case "$*" in *-vv*) exec zstd "$@" 2>/dev/null;; *) exec zstd "$@";; esac';
      const written = await write({
        content: wanted,
        recipients: part.recipients,
        env: mute ? withProgram('zstd', quiet, env) : env,
      });
      expect(written.uncompressedBytes).toBe(part.bytes);
      expect(written.bytes).toBe(readFileSync(join(place.path, written.file)).length);
      expect(wanted.equals(await read(written))).toBe(true);
    },
  );
});

/** Lets the program be found good. */
const honest = 'case "$*" in "-vv --no-progress --stdout") exec zstd "$@";; esac';

/** Reads some, and fails. */
const dying = 'head -c 100000 >/dev/null; echo "it broke" >&2; exit 9';

test.each([
  { name: 'zstd', script: `${honest}; ${dying}`, how: 'failed with exit code 9: it broke' },
  {
    ...{ name: 'zstd', how: 'was killed by SIGKILL.' },
    script: `${honest}; echo "Decompression will require 524288 B of memory" >&2; kill -9 $$`,
  },
  { name: 'age', script: dying, how: 'failed with exit code 9: it broke' },
])('when $name $how in the middle it is named, and not what it takes down with it', async (program) => {
  const env = withProgram(program.name, program.script, process.env);
  const failing = write({ content: randomBytes(5_000_000), recipients: [owner.recipient], env });
  await expect(failing).rejects.toThrow(`"${program.name}" ${program.how}`);
});
