import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dropCompanions } from '../backups/support/fixture.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type NetworkProxy, startNetworkProxy } from '../support/network-proxy.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { type S3Server, startFauxqsServer } from '../support/s3-servers.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const canary = 'cAnArY-s3cret-key-0123456789';

let place: TemporaryDirectory;
let database: TestDatabase;
let server: S3Server;
let proxy: NetworkProxy;
beforeAll(async () => {
  place = await temporaryDirectory();
  database = await createTestDatabase();
  await database.query('create table public.pages as select n from generate_series(1, 10) n');
  server = await startFauxqsServer();
  proxy = await startNetworkProxy(server.port);
  writeFileSync(join(place.path, 'tend.toml'), configText('directory = "backups"'));
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await dropCompanions(database);
  await database[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

/** `offsite` is there, `lost` is a bucket that nobody has made. */
function configText(backup: string): string {
  const remote = (name: string, bucket: string) => `[backup.remotes.${name}]
type = "s3"
bucket = "${bucket}"
endpoint = "http://127.0.0.1:${proxy.port}"
access_key_id = "key"
secret_access_key = "env:OFFSITE_SECRET"
`;
  return `[database]\nurl = ${JSON.stringify(database.url)}\n[backup]\ncompression = "none"\n${backup}\n${remote('offsite', 'backups')}${remote('lost', 'nowhere')}`;
}

const env = { OFFSITE_SECRET: canary };

async function tend(args: string[], cwd = place.path) {
  const { exitCode, stdout, stderr } = await runCli(args, { cwd, env });
  expect(stdout + stderr).not.toContain(canary);
  return { exitCode, stdout, stderr };
}

async function tendJson(args: string[], cwd?: string) {
  const { exitCode, stdout } = await tend([...args, '--json'], cwd);
  return { exitCode, json: JSON.parse(stdout) };
}

test('one of two remotes fails: the set and the other copy are kept, exit 3, and a task goes on with it', async () => {
  const { exitCode, json } = await tendJson(['backup']);
  expect(exitCode).toBe(3);
  expect(json.remotes).toEqual([
    {
      name: 'offsite',
      outcome: 'stored',
      bytes: expect.any(Number),
      durationMs: expect.any(Number),
      retention: null,
    },
    expect.objectContaining({
      ...{ name: 'lost', outcome: 'failed' },
      error: expect.objectContaining({
        code: 'REMOTE_MISSING',
        message: expect.stringContaining('no such bucket'),
      }),
    }),
  ]);
  expect(readdirSync(join(place.path, 'backups'))).toContain(json.id);
  const tasks = await database.query(`select payload from tend.tasks where kind = 'push-backup'`);
  expect(tasks).toEqual([{ payload: { id: json.id, remotes: ['lost'] } }]);
  const list = await tendJson(['backup', 'list', '--remote', 'offsite']);
  expect(list).toMatchObject({
    exitCode: 0,
    json: { remote: 'offsite', backups: [{ id: json.id }], unfinished: [] },
  });
  expect(await tendJson(['backup', 'show', '--remote', 'offsite'])).toMatchObject({
    json: { manifest: { id: json.id } },
  });
  expect(await tendJson(['backup', 'verify', '--remote', 'offsite'])).toMatchObject({
    exitCode: 0,
    json: { id: json.id, remote: 'offsite' },
  });
  expect(await tendJson(['backup', 'push', '--remote', 'lost'])).toMatchObject({
    exitCode: 78,
    json: { error: { code: 'REMOTE_MISSING' } },
  });
  expect(await tendJson(['backup', 'push', '--remote', 'nosuch'])).toMatchObject({
    exitCode: 78,
    json: { error: { code: 'REMOTE_NOT_CONFIGURED', hint: expect.stringContaining('offsite, lost') } },
  });
});

test('a new machine that has only tend.toml restores the newest set of a remote', async () => {
  await using fresh = await temporaryDirectory();
  writeFileSync(join(fresh.path, 'tend.toml'), configText(''));
  await database.query('truncate public.pages');
  const { exitCode, json } = await tendJson(
    ['restore', 'offsite:latest', '--confirm', database.name],
    fresh.path,
  );
  expect({ exitCode, json }).toMatchObject({ exitCode: 0, json: { database: database.name } });
  expect(await database.query('select count(*)::int as n from public.pages')).toEqual([{ n: 10 }]);
});

test('kill -9 in the middle of an upload leaves no set there, and the next backup brings it to its end', async () => {
  await database.query(
    `create table public.noise as select string_agg(sha512((g * 1000 + n)::text::bytea), ''::bytea) as bytes
       from generate_series(1, 300) g, generate_series(1, 1000) n group by g`,
  );
  proxy.stallAfter(10_000_000);
  const { child, result } = await startCli(['backup', '--remote', 'offsite'], { cwd: place.path, env });
  const before = proxy.sent;
  while (proxy.sent - before < 10_000_000) await sleep(50);
  child.kill('SIGKILL');
  await result;
  proxy.stallAfter(undefined);
  const [killed = ''] = readdirSync(join(place.path, 'backups'))
    .filter((name) => name.startsWith('2'))
    .sort()
    .reverse();
  const list = await tendJson(['backup', 'list', '--remote', 'offsite']);
  expect(list.json).toMatchObject({ unfinished: [{ id: killed }] });
  expect(list.json.backups.map(({ id }: { id: string }) => id)).not.toContain(killed);
  await database.query('drop table public.noise');
  expect(await tendJson(['backup', '--remote', 'offsite'])).toMatchObject({ exitCode: 0 });
  const after = await tendJson(['backup', 'list', '--remote', 'offsite']);
  expect(after.json.unfinished).toEqual([]);
  expect(after.json.backups.map(({ id }: { id: string }) => id)).toContain(killed);
  rmSync(join(place.path, 'backups', killed), { recursive: true });
});

test('prunes a remote by its own rules, after it has said what would go', async () => {
  const config = join(place.path, 'keep.toml');
  const text = configText('directory = "backups"').replace(
    '[backup.remotes.lost]',
    'keep = { last = 1 }\n$&',
  );
  writeFileSync(config, text);
  // A set that is still to be copied to the remote that is away would stay.
  await database.query(`delete from tend.tasks where kind = 'push-backup'`);
  const list = ['backup', 'list', '--remote', 'offsite'];
  const before = (await tendJson(list)).json.backups.map(({ id }: { id: string }) => id);
  const prune = ['backup', 'prune', '--remote', 'offsite', '--config', config];
  const dry = await tendJson([...prune, '--dry-run']);
  expect(dry.json.decisions.map(({ action }: { action: string }) => action)).toEqual([
    ...['keep', ...before.slice(1).map(() => 'remove')],
  ]);
  const { exitCode, json } = await tendJson(prune);
  expect({ exitCode, removed: json.removed.length }).toEqual({ exitCode: 0, removed: before.length - 1 });
  expect((await tendJson(list)).json.backups).toMatchObject([{ id: before[0] }]);
  expect(await tendJson(['backup', 'prune', '--remote', 'lost', '--older-than', '1d'])).toMatchObject({
    exitCode: 78,
    json: { error: { code: 'REMOTE_MISSING' } },
  });
});
