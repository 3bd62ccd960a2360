import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateMultipartUploadCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findRemoteSet, listRemoteSets } from '../../../src/backups/remotes/find-remote-sets.ts';
import type { RemoteStore } from '../../../src/backups/remotes/remote-store.ts';
import { uploadSet } from '../../../src/backups/remotes/upload-set.ts';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { verifyBackup } from '../../../src/backups/verify/verify-backup.ts';
import { silentLog } from '../../../src/log.ts';
import { createTestDatabase } from '../../support/database.ts';
import { freePort } from '../../support/free-port.ts';
import { startFauxqsServer, startS3rver } from '../../support/s3-servers.ts';
import { hasSftpServer, type SftpServer, startSftpServer } from '../../support/sftp-server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { takeBackup } from '../support/fixture.ts';
import { flipByte } from '../support/flip-byte.ts';
import { forgeSet } from './support/forge-set.ts';
import { openTestRemote, s3Table, sftpTable } from './support/open-test-remote.ts';

const mebibyte = 1024 * 1024;

let local: TemporaryDirectory;
let small: BackupSet;
beforeAll(async () => {
  local = await temporaryDirectory();
  small = await forgeSet(local.path, '20261122T023000Z-0001', [1000]);
});
afterAll(async () => await local[Symbol.asyncDispose]());

async function upload(store: RemoteStore, set = small): Promise<number> {
  return await uploadSet({ set, store, log: silentLog, report: () => undefined });
}

describe('S3', () => {
  let server: Awaited<ReturnType<typeof startFauxqsServer>>;
  beforeAll(async () => {
    server = await startFauxqsServer();
  });
  afterAll(async () => await server[Symbol.asyncDispose]());

  test('wrong credentials: exit 77, without the secret', async () => {
    await using strict = await startS3rver();
    const env = { AWS_ACCESS_KEY_ID: 'SOMEBODY', AWS_SECRET_ACCESS_KEY: 'cAnArY-0123456789' };
    const listing = listRemoteSets(await openTestRemote(s3Table(strict.port), { env }));
    const error = await listing.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'REMOTE_PERMISSION', exitCode: 77, isPermanent: true });
    expect(String(error) + JSON.stringify(error)).not.toContain('cAnArY');
  });

  test('no bucket: exit 78', async () => {
    const store = await openTestRemote({ ...s3Table(server.port), bucket: 'nowhere' });
    await expect(upload(store)).rejects.toMatchObject({ code: 'REMOTE_MISSING', exitCode: 78 });
  });

  test('nobody there: exit 69, after the tries', async () => {
    const store = await openTestRemote(s3Table(await freePort()), { retryDelaysMs: [0] });
    await expect(upload(store)).rejects.toMatchObject({
      code: 'REMOTE_UNREACHABLE',
      exitCode: 69,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('a reference to a variable that is not set: exit 78, naming it', async () => {
    const table = { ...s3Table(server.port), access_key_id: 'a', secret_access_key: 'env:NOT_SET' };
    await expect(listRemoteSets(await openTestRemote(table))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('backup.remotes.offsite.secret_access_key'),
    });
  });

  test('parts of an upload that was cut off are compared, and not sent again', async () => {
    const set = await forgeSet(local.path, '20261123T023000Z-0002', [17 * mebibyte]);
    const content = readFileSync(join(set.path, 'database.dump'));
    const client = new S3Client({
      ...{ endpoint: `http://127.0.0.1:${server.port}`, forcePathStyle: true, region: 'us-east-1' },
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    const place = { Bucket: 'backups', Key: `app/sets/${set.id}/database.dump` };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
    const send = async (PartNumber: number, Body: Buffer) =>
      await client.send(new UploadPartCommand({ ...place, UploadId, PartNumber, Body }));
    await send(1, content.subarray(0, 8 * mebibyte));
    await send(2, Buffer.alloc(8 * mebibyte));
    client.destroy();
    const store = await openTestRemote(s3Table(server.port));
    const sent = await upload(store, set);
    expect(sent).toBeGreaterThan(9 * mebibyte);
    expect(sent).toBeLessThan(9 * mebibyte + 10_000);
    expect(server.begun()).toEqual([]);
    expect((await findRemoteSet(store, set.id)).manifest).toEqual(set.manifest);
  });

  test('the error of an upload is told, not that of giving it up, which some servers cannot do', async () => {
    await using strict = await startS3rver();
    const store = await openTestRemote(s3Table(strict.port));
    const source = join(small.path, 'database.dump');
    await using connection = await store.connect();
    const place = { id: small.id, file: 'database.dump', source, sha256: '', existing: 'keep' as const };
    await expect(connection.put({ ...place, bytes: 9 * mebibyte })).rejects.toMatchObject({
      message: expect.stringContaining('bytes too early'),
    });
  });
});

test.runIf(hasSftpServer)(
  'a byte that changed there is found by verifying, and a new upload replaces the file',
  async () => {
    await using database = await createTestDatabase();
    await database.query('create table public.pages as select n from generate_series(1, 1000) n');
    await using server = await startSftpServer();
    const set = await takeBackup({ database, directory: local.path });
    const store = await openTestRemote(sftpTable(server));
    await upload(store, set);
    const verify = async () =>
      await verifyBackup({
        set: await findRemoteSet(store, set.id),
        toolsDirectory: undefined,
        env: process.env,
        log: silentLog,
        signal: new AbortController().signal,
      });
    await expect(verify()).resolves.toMatchObject({ id: set.id });
    flipByte(join(server.directory, set.id, 'database.dump.zst'), 0.5);
    await expect(verify()).rejects.toMatchObject({ code: 'BACKUP_DAMAGED', exitCode: 65 });
    expect(await upload(store, set)).toBe(set.manifest.parts[0]?.bytes);
    await expect(verify()).resolves.toMatchObject({ id: set.id });
    await server.kill();
    await expect(verify()).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE', exitCode: 69 });
  },
);

test.runIf(hasSftpServer)('a set that is damaged here is not copied', async () => {
  await using server = await startSftpServer();
  const store = await openTestRemote(sftpTable(server));
  const set = await forgeSet(local.path, '20261124T023000Z-0003', [1000]);
  flipByte(join(set.path, 'database.dump'), 0.5);
  await expect(upload(store, set)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  truncateSync(join(set.path, 'database.dump'), 10);
  await expect(upload(store, set)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  expect((await listRemoteSets(store)).sets).toEqual([]);
});

describe.runIf(hasSftpServer)('SFTP', () => {
  let server: SftpServer;
  beforeAll(async () => {
    server = await startSftpServer();
  });
  afterAll(async () => await server[Symbol.asyncDispose]());

  test('an unknown host key: exit 78, with its fingerprint and the line that makes it known', async () => {
    const known_hosts = join(local.path, 'empty');
    writeFileSync(known_hosts, '');
    const table = { ...sftpTable(server), known_hosts };
    const error = await listRemoteSets(await openTestRemote(table)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      ...{ code: 'REMOTE_HOST_KEY', exitCode: 78 },
      message: expect.stringMatching(/is not known: SHA256:[\w+/]{43}\.$/),
      details: readFileSync(server.knownHosts(server.port), 'utf8').trim(),
    });
    writeFileSync(known_hosts, `${(error as { details: string }).details}\n`);
    await expect(listRemoteSets(await openTestRemote(table))).resolves.toMatchObject({ sets: [] });
  });

  test('another host key than the one on file: exit 78', async () => {
    const known_hosts = join(local.path, 'another');
    const [, key] = readFileSync(`${server.strangersKey}.pub`, 'utf8').split(' ');
    writeFileSync(known_hosts, `[127.0.0.1]:${server.port} ssh-ed25519 ${key}\n`);
    const table = { ...sftpTable(server), known_hosts };
    await expect(listRemoteSets(await openTestRemote(table))).rejects.toMatchObject({
      code: 'REMOTE_HOST_KEY',
      message: expect.stringContaining('is not the one on file'),
    });
  });

  test.each([
    {
      what: 'a key the server does not know',
      table: () => ({ key: server.strangersKey }),
      code: 'REMOTE_PERMISSION',
      exitCode: 77,
    },
    {
      what: 'a key file that is not there',
      table: () => ({ key: '/nowhere/key' }),
      code: 'REMOTE_MISCONFIGURED',
      exitCode: 78,
    },
    {
      what: 'a file that holds no key',
      table: () => ({ key: server.knownHosts(1) }),
      code: 'REMOTE_MISCONFIGURED',
      exitCode: 78,
    },
    {
      what: 'a directory that is not there',
      table: () => ({ path: '/nowhere/at/all' }),
      code: 'REMOTE_MISSING',
      exitCode: 78,
    },
    {
      what: 'a directory where we may not write',
      table: () => ({ path: '/' }),
      code: 'REMOTE_PERMISSION',
      exitCode: 77,
    },
  ])('$what: $code', async ({ table, code, exitCode }) => {
    const store = await openTestRemote({ ...sftpTable(server), ...table() });
    await expect(upload(store)).rejects.toMatchObject({ code, exitCode });
  });

  test('no room there: exit 73, with numbers', async (context) => {
    if (process.getuid?.() !== 0 || process.platform !== 'linux')
      context.skip('only root can mount a small file system');
    const path = join(server.directory, 'small');
    mkdirSync(path);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0777', 'tmpfs', path]);
    try {
      const set = await forgeSet(local.path, '20261125T023000Z-0004', [200_000]);
      const store = await openTestRemote({ ...sftpTable(server), path });
      await expect(upload(store, set)).rejects.toMatchObject({
        ...{ code: 'REMOTE_FULL', exitCode: 73 },
        message: expect.stringMatching(/65.5 kB are free, 200 kB are needed/),
      });
    } finally {
      execFileSync('umount', [path]);
    }
  });

  test('a foreign file beside the sets is none of ours', async () => {
    copyFileSync(server.key, join(server.directory, 'notes.txt'));
    mkdirSync(join(server.directory, 'lost+found'), { recursive: true });
    const { sets, damaged, unfinished } = await listRemoteSets(await openTestRemote(sftpTable(server)));
    expect({ sets, damaged, unfinished }).toEqual({ sets: [], damaged: [], unfinished: [] });
  });
});
