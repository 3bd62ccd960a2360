import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Kysely } from 'kysely';
import { parse } from 'valibot';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listRemoteSets } from '../../../src/backups/remotes/find-remote-sets.ts';
import { uploadSet } from '../../../src/backups/remotes/upload-set.ts';
import { applyRetention, previewRetention } from '../../../src/backups/retention/apply-retention.ts';
import { retainAfterBackup, retainInRemotes } from '../../../src/backups/retention/retain-after-backup.ts';
import { type BackupSet, listBackups } from '../../../src/backups/sets/backup-directory.ts';
import { lockRemote } from '../../../src/backups/sets/backup-lock.ts';
import { systemClock } from '../../../src/clock.ts';
import { configSchema } from '../../../src/config/schema.ts';
import type { Database } from '../../../src/database/tables.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { pruneHandler } from '../../../src/tasks/handlers/prune.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startFauxqsServer, startS3rver } from '../../support/s3-servers.ts';
import { hasSftpServer, startSftpServer } from '../../support/sftp-server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { openTestRemote, type RemoteTable, s3Table, sftpTable } from '../remotes/support/open-test-remote.ts';
import { cloneSet } from '../support/clone-set.ts';
import { takeBackup } from '../support/fixture.ts';

interface Place extends AsyncDisposable {
  table: RemoteTable;
  /** Puts a file below the folder of the sets, over what may be there. */
  put(path: string, content: string | Uint8Array): Promise<void>;
  /** Lets nobody remove anything any more. */
  forbidRemoving(ids: readonly string[]): Promise<void>;
}

const env = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' };

const kinds = [
  { kind: 'an S3 server', isHere: true, start: async () => await s3(await startFauxqsServer()) },
  { kind: 'an S3 server of few words', isHere: true, start: async () => await s3(await startS3rver()) },
  { kind: 'an SFTP server', isHere: hasSftpServer, start: sftp },
];

async function s3(server: AsyncDisposable & { port: number }): Promise<Place> {
  const guard = await startGuard(server.port);
  const endpoint = `http://127.0.0.1:${server.port}`;
  const client = new S3Client({
    ...{ endpoint, forcePathStyle: true, region: 'us-east-1' },
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
  });
  return {
    table: s3Table(guard.port),
    async put(path, content) {
      const Key = `app/sets/${path}`;
      await client.send(new PutObjectCommand({ Bucket: 'backups', Key, Body: content }));
    },
    forbidRemoving: async () => await Promise.resolve(guard.forbid()),
    async [Symbol.asyncDispose]() {
      client.destroy();
      await guard.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A bucket whose key has not `s3:DeleteObject`, from the moment when that is said. */
async function startGuard(port: number) {
  let isForbidden = false;
  const server = createServer((asked, answer) => {
    const { method, url, headers } = asked;
    if (isForbidden && method === 'DELETE') {
      answer.writeHead(403, { 'content-type': 'application/xml' });
      answer.end('<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>');
      return;
    }
    const passed = request({ port, host: '127.0.0.1', method, path: url, headers }, (given) => {
      answer.writeHead(given.statusCode ?? 500, given.headers);
      given.pipe(answer);
    });
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port, // of a server that listens on a port
    forbid: () => {
      isForbidden = true;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function sftp(): Promise<Place> {
  const server = await startSftpServer();
  return {
    table: sftpTable(server),
    async put(path, content) {
      mkdirSync(dirname(join(server.directory, path)), { recursive: true });
      writeFileSync(join(server.directory, path), content);
      await Promise.resolve();
    },
    async forbidRemoving(ids) {
      for (const id of ids) chmodSync(join(server.directory, id), 0o555);
      await Promise.resolve();
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}

describe.each(kinds)('retention in a remote on $kind', ({ start, isHere }) => {
  let place: Place;
  let local: TemporaryDirectory;
  let database: TestDatabase;
  let db: Kysely<Database>;
  /** A set a day, newest first, all of them here and there. */
  let sets: BackupSet[];
  beforeAll(async () => {
    if (!isHere) return;
    [place, local, database] = await Promise.all([start(), temporaryDirectory(), createTestDatabase()]);
    db = await database.openDatabase();
    const original = await takeBackup({ database, directory: local.path });
    const days = [0, 1, 2, 3, 4];
    const at = (day: number) => new Date(Date.parse('2026-11-24T02:30:00Z') - day * 86_400_000);
    sets = await Promise.all(days.map(async (day) => await cloneSet(original, { at: at(day) })));
    const foreign = await cloneSet(original, { at: at(9), database: { name: 'elsewhere' } });
    const store = await openTestRemote({ ...place.table, verify_upload: 'size' });
    const about = { store, log: silentLog, report: () => undefined };
    await Promise.all([...sets, foreign].map(async (set) => await uploadSet({ ...about, set })));
    await place.put('notes.txt', 'mine');
    await place.put('photos/one.jpg', 'mine');
    await place.put('20260101T000000Z-0001/database.dump', 'half');
  });
  afterAll(async () => {
    if (!isHere) return;
    await place[Symbol.asyncDispose]();
    await db.destroy();
    await database[Symbol.asyncDispose]();
    await local[Symbol.asyncDispose]();
  });

  function options({ keep, own }: { keep?: object; own?: object }) {
    const offsite = { ...place.table, ...(own && { keep: own }) };
    const backup = { directory: local.path, remotes: { offsite }, ...(keep && { keep }) };
    return {
      ...{ config: parse(configSchema, { backup }), baseDirectory: '/', remote: 'offsite' },
      ...{ connection: database.connection, db, host: 'testhost', clock: systemClock, log: silentLog },
      ...{ env, secrets: new SecretRegistry(), signal: new AbortController().signal },
    };
  }
  const idsThere = async () =>
    (await listRemoteSets(await openTestRemote(place.table))).sets
      .filter(({ manifest }) => manifest.database.name === database.name)
      .map(({ id }) => id);
  const idsOf = (some: readonly BackupSet[]) => some.map(({ id }) => id);

  test.runIf(isHere)(
    'previewed, tells of everything there what becomes of it, and removes nothing',
    async () => {
      const { decisions, left } = await previewRetention(options({ keep: { last: 3 } }));
      expect(decisions.map(({ action }) => action)).toEqual(['keep', 'keep', 'keep', 'remove', 'remove']);
      expect(left).toEqual([
        { name: expect.any(String), why: 'of database "elsewhere"' },
        { name: '20260101T000000Z-0001', why: 'its upload is not finished' },
        { name: 'notes.txt', why: 'no backup set' },
        { name: 'photos', why: 'no backup set' },
      ]);
      expect(await idsThere()).toEqual(idsOf(sets));
    },
  );

  test.runIf(isHere)('nothing goes where the remote has an empty keep of its own', async () => {
    const all = options({ keep: { last: 1 }, own: {} });
    expect(await retainAfterBackup(all)).toBeNull();
    await expect(applyRetention(all)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining('[backup.remotes.offsite] keep'),
    });
  });

  test.runIf(isHere)('goes by [backup] keep, after a backup that the remote has got', async () => {
    const copy = { name: 'offsite', bytes: 1, durationMs: 1 };
    const all = { ...options({ keep: { last: 4 } }), remote: undefined };
    const failed = await retainInRemotes({ ...all, copies: [{ ...copy, outcome: 'failed' }] });
    expect(failed).toMatchObject([{ retention: null }]);
    expect(await idsThere()).toEqual(idsOf(sets));
    const stored = await retainInRemotes({ ...all, copies: [{ ...copy, outcome: 'stored' }] });
    expect(stored).toMatchObject([{ retention: { removed: [sets[4]?.id], failed: [], error: null } }]);
    expect(await idsThere()).toEqual(idsOf(sets.slice(0, 4)));
  });

  test.runIf(isHere)('goes by its own keep where it has one, and leaves the sets here alone', async () => {
    const report = await applyRetention(options({ keep: { last: 4 }, own: { last: 3 } }));
    expect(report).toMatchObject({ kept: 3, failed: [], removed: [{ id: sets[3]?.id }] });
    expect(await idsThere()).toEqual(idsOf(sets.slice(0, 3)));
    expect((await listBackups(local.path)).sets).toHaveLength(7);
  });

  test.runIf(isHere)('counts a damaged set for nothing: the newest good one stays', async () => {
    await place.put(`${sets[0]?.id}/database.dump.zst`, 'spoilt');
    const { removed, left } = await applyRetention(options({ own: { last: 1 } }));
    expect(removed.map(({ id }) => id)).toEqual([sets[2]?.id]);
    expect(left).toContainEqual({ name: sets[0]?.id, why: expect.stringMatching(/^damaged: /) });
    expect(await idsThere()).toEqual(idsOf(sets.slice(0, 2)));
  });

  test.runIf(isHere)('waits for a copy that is on its way there', async () => {
    using _lock = await lockRemote(local.path, 'offsite');
    await expect(applyRetention(options({ own: { last: 1 } }))).rejects.toMatchObject({
      code: 'BACKUP_BUSY',
    });
  });

  test.runIf(isHere)('where removing is not permitted, says so with 77, and spoils no backup', async () => {
    const dump = 'database.dump.zst';
    await place.put(`${sets[0]?.id}/${dump}`, readFileSync(join(sets[0]?.path ?? '', dump)));
    await place.forbidRemoving(idsOf(sets.slice(0, 2)));
    const { remote, log, signal, ...context } = options({ own: { last: 1 } });
    const task = { payload: { remote }, context, log, signal };
    // What else a running task has plays no part in this kind.
    const running = pruneHandler.run(task as unknown as Parameters<typeof pruneHandler.run>[0]);
    await expect(running).rejects.toMatchObject({
      code: 'REMOTE_PERMISSION',
      exitCode: 77,
      isPermanent: true,
    });
    const own = await retainAfterBackup({ ...context, remote, log, signal });
    expect(own).toMatchObject({ removed: [], failed: [sets[1]?.id] });
    const inherited = await retainAfterBackup(options({ keep: { last: 1 } }));
    expect(inherited).toEqual({ removed: [], failed: [], error: null });
    expect(await idsThere()).toEqual(idsOf(sets.slice(0, 2)));
  });
});
