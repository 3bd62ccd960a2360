import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findRemoteSet, listRemoteSets } from '../../../src/backups/remotes/find-remote-sets.ts';
import type { RemoteStore } from '../../../src/backups/remotes/remote-store.ts';
import { removeRemoteSet } from '../../../src/backups/remotes/remove-remote-set.ts';
import { uploadSet } from '../../../src/backups/remotes/upload-set.ts';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { silentLog } from '../../../src/log.ts';
import { type NetworkProxy, startNetworkProxy } from '../../support/network-proxy.ts';
import { startFauxqsServer, startS3rver } from '../../support/s3-servers.ts';
import { hasSftpServer, startSftpServer } from '../../support/sftp-server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { forgeSet } from './support/forge-set.ts';
import { openTestRemote, type RemoteTable, s3Table, sftpTable } from './support/open-test-remote.ts';

const mebibyte = 1024 * 1024;

interface Place {
  port: number;
  table(port: number): RemoteTable;
  dispose(): Promise<void>;
}

/** Sizes for more than one part of an upload to S3, and for more than what is on its way at once by SFTP. */
const kinds = [
  { kind: 'an S3 server', start: async () => s3Place(await startFauxqsServer()), isHere: true, size: 9 },
  {
    kind: 'an S3 server of few words',
    start: async () => s3Place(await startS3rver()),
    isHere: true,
    size: 9,
  },
  {
    kind: 'an SFTP server',
    isHere: hasSftpServer,
    size: 6,
    start: async (): Promise<Place> => {
      const server = await startSftpServer();
      const dispose = async () => await server[Symbol.asyncDispose]();
      return { port: server.port, table: (port) => sftpTable(server, port), dispose };
    },
  },
];

function s3Place(server: AsyncDisposable & { port: number }): Place {
  return { port: server.port, table: s3Table, dispose: async () => await server[Symbol.asyncDispose]() };
}

describe.each(kinds)('a remote on $kind', ({ start, isHere, size }) => {
  let place: Place;
  let proxy: NetworkProxy;
  let local: TemporaryDirectory;
  let set: BackupSet;
  beforeAll(async () => {
    if (!isHere) return;
    place = await start();
    proxy = await startNetworkProxy(place.port);
    local = await temporaryDirectory();
    set = await forgeSet(local.path, '20261122T023000Z-0001', [size * mebibyte + 1, 1000, 0]);
  });
  afterAll(async () => {
    if (!isHere) return;
    await proxy[Symbol.asyncDispose]();
    await place.dispose();
    await local[Symbol.asyncDispose]();
  });

  const open = async (options: Parameters<typeof openTestRemote>[1] = {}) =>
    await openTestRemote(place.table(proxy.port), options);
  const upload = async (store: RemoteStore, of = set) =>
    await uploadSet({ set: of, store, log: silentLog, report: () => undefined });

  test.runIf(isHere)('holds nothing at first, takes a set, and gives back the very bytes', async () => {
    const store = await open();
    expect(await listRemoteSets(store)).toEqual({ sets: [], damaged: [], unfinished: [] });
    await expect(findRemoteSet(store, 'latest')).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
    expect(await upload(store)).toBeGreaterThan(size * mebibyte);
    const found = await findRemoteSet(store, 'latest');
    expect(found).toMatchObject({ id: set.id, manifest: set.manifest, path: `${store.address}/${set.id}` });
    for (const { file, bytes } of set.manifest.parts) {
      expect(await found.files.size(file)).toBe(bytes);
      const there = await buffer(await found.files.open(file));
      expect(there.equals(readFileSync(join(set.path, file)))).toBe(true);
    }
    expect(await upload(store)).toBe(0);
  });

  test.runIf(isHere)('goes on reading where the connection was cut', async () => {
    const found = await findRemoteSet(await open(), set.id);
    const before = { received: proxy.received, cuts: proxy.cuts };
    proxy.cutAfter((size / 2) * mebibyte, 'received');
    const there = await buffer(await found.files.open('database.dump'));
    expect(there.equals(readFileSync(join(set.path, 'database.dump')))).toBe(true);
    expect(proxy.cuts).toBe(before.cuts + 1);
    expect(proxy.received - before.received).toBeLessThan(1.9 * size * mebibyte);
  });

  test.runIf(isHere)('has no set of which the manifest is missing, and goes on with it', async () => {
    const other = await forgeSet(local.path, '20261123T023000Z-0002', [10, size * mebibyte]);
    proxy.breakAfter((size - 1) * mebibyte);
    const impatient = await open({ retryDelaysMs: [] });
    const failure = { code: 'REMOTE_UNREACHABLE', exitCode: 69 };
    await expect(upload(impatient, other)).rejects.toMatchObject(failure);
    proxy.mend();
    const store = await open();
    const listing = await listRemoteSets(store);
    expect(listing.sets.map(({ id }) => id)).toEqual([set.id]);
    expect(listing.unfinished).toMatchObject([{ id: other.id }]);
    await expect(findRemoteSet(store, other.id)).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
    await upload(store, other);
    expect((await listRemoteSets(store)).unfinished).toEqual([]);
    expect((await findRemoteSet(store, 'latest')).id).toBe(other.id);
  });

  test.runIf(isHere)('has for its latest the newest of the database that is restored', async () => {
    const store = await open();
    const foreign = await forgeSet(local.path, '20261124T023000Z-0003', [10], { database: 'shop' });
    await upload(store, foreign);
    expect((await findRemoteSet(store, 'latest', 'forged')).id).toBe('20261123T023000Z-0002');
    expect((await findRemoteSet(store, 'latest', 'a_new_staging')).id).toBe(foreign.id);
    expect((await findRemoteSet(store, 'latest')).id).toBe(foreign.id);
    await removeRemoteSet(store, foreign.id);
  });

  test.runIf(isHere)('loses a set that is removed, and no other', async () => {
    const store = await open();
    await removeRemoteSet(store, '20261123T023000Z-0002');
    expect((await listRemoteSets(store)).sets.map(({ id }) => id)).toEqual([set.id]);
  });
});
