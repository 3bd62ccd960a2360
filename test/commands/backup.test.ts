import { execFileSync } from 'node:child_process';
import { appendFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeMark } from '../../src/backups/cut-over/database-marks.ts';
import { newKey } from '../backups/support/age-keys.ts';
import { companionsOf, dropCompanions } from '../backups/support/fixture.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { runCli } from '../support/run-cli.ts';
import { runCommand } from '../support/run-command.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

let place: TemporaryDirectory;
let database: TestDatabase;
beforeEach(async () => {
  place = await temporaryDirectory();
  database = await createTestDatabase();
  await database.query('create table public.pages as select n from generate_series(1, 10) n');
  const text = `[database]\nurl = ${JSON.stringify(database.url)}\n[backup]\ndirectory = "backups"\n`;
  writeFileSync(join(place.path, 'tend.toml'), text);
});
afterEach(async () => {
  await dropCompanions(database);
  await database[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

async function tend(...args: string[]) {
  const { exitCode, stdout, stderr } = await runCli(args, { cwd: place.path });
  return { exitCode, stdout, stderr };
}

async function tendJson(...args: string[]) {
  const { exitCode, stdout } = await tend(...args, '--json');
  return { exitCode, json: JSON.parse(stdout) };
}

test('a backup, its list, its details and its verification, as cron sees them', async () => {
  expect(await tend('backup')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  const list = await tendJson('backup', 'list');
  expect(list).toMatchObject({ exitCode: 0, json: { damaged: [], backups: [{ database: database.name }] } });
  const { id } = list.json.backups[0];
  const shown = await tendJson('backup', 'show', id);
  expect(shown.json.manifest.tables).toContainEqual({ schema: 'public', name: 'pages', rows: 10 });
  expect(await tendJson('backup', 'verify', '--restore')).toMatchObject({
    ...{ exitCode: 0, json: { id, taskId: 2, restoreMs: expect.any(Number) } },
  });
  const { json: listed } = await tendJson('backup', 'list');
  expect(listed).toMatchObject({
    isVerificationKnown: true,
    backups: [{ verification: { verifiedBy: 'restore', restoreMs: expect.any(Number), verifyError: null } }],
  });
  const env = { TEND_DATABASE_URL: 'postgresql://cms@127.0.0.1:1/cms' };
  const { exitCode, stdout } = await runCli(['backup', 'list'], { cwd: place.path, env });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^ID\t.*\tVERIFIED\tRESTORED\tLABEL\n\d{8}T.*\t\?\t\?\t\n$/);
  appendFileSync(join(place.path, 'backups', id, 'database.dump.zst'), 'x');
  expect(await tendJson('backup', 'verify', id)).toMatchObject({
    exitCode: 65,
    json: { error: { code: 'BACKUP_DAMAGED', exitCode: 65 } },
  });
});

test('retention: what would go and why, then gone; a backup does it too; nothing goes unless it is said', async () => {
  await tend('backup');
  await tend('backup');
  expect(await tendJson('backup', 'prune')).toMatchObject({
    ...{ exitCode: 78, json: { error: { code: 'CONFIG_INVALID', hint: expect.stringContaining('keep =') } } },
  });
  appendFileSync(join(place.path, 'tend.toml'), 'keep = { last = 1 }\n');
  const preview = await tend('backup', 'prune', '--dry-run');
  expect(preview.stdout.replaceAll(/\d{8}T\d{6}Z-[0-9a-f]{4}/g, 'ID')).toMatch(
    /^ID\tDECISION\tSIZE\tWHY\nID\tkeep\t[^\t]+\tlast 1, newest\nID\tremove\t[^\t]+\tno rule keeps it\n$/,
  );
  const pruned = await tendJson('backup', 'prune');
  expect(pruned).toMatchObject({ exitCode: 0, json: { kept: 1, left: [], taskId: expect.any(Number) } });
  const made = await tendJson('backup');
  expect(made.json.retention).toEqual({ removed: [expect.any(String)], failed: [], error: null });
  expect(readdirSync(join(place.path, 'backups')).filter((name) => !name.startsWith('.'))).toEqual([
    made.json.id,
  ]);
});

test('prune drops what restores have kept for too long, and its preview names that', async () => {
  await tend('backup');
  appendFileSync(join(place.path, 'tend.toml'), 'keep = { last = 1 }\n');
  const kept = `${database.name}_before_20200101_000000_0001`;
  await database.query(`create database "${kept}"`);
  const mark = writeMark({
    ...{ kind: 'kept', database: database.name, id: '20200101T000000Z-0001', hasEnded: true },
  });
  await database.query(`comment on database "${kept}" is '${mark}'`);
  const preview = await tend('backup', 'prune', '--dry-run');
  expect(preview.stdout).toMatch(new RegExp(`^${kept}\tdrop\t[^\t]+\tkept for .* of 7 d$`, 'm'));
  expect(await companionsOf(database)).toEqual([kept]);
  const pruned = await tendJson('backup', 'prune');
  expect(pruned).toMatchObject({ exitCode: 0, json: { removed: [], droppedDatabases: [kept] } });
  expect(await companionsOf(database)).toEqual([]);
});

test('a restore: what would happen, not without a confirmation, then done', async () => {
  const { json: backup } = await tendJson('backup', '--label', 'first');
  await database.query('truncate public.pages');
  const preview = await tendJson('restore', '--dry-run');
  expect(preview).toMatchObject({
    exitCode: 0,
    json: {
      backup: { id: backup.id },
      isCompared: true,
      plan: { mode: 'replace', obstacles: [] },
      estimate: { from: 'the duration of the backup' },
      sessions: [],
    },
  });
  expect(await tend('restore', '--dry-run', '--into', database.name)).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining(`In the way: database "${database.name}" exists already: choose another`),
  });
  const refused = await tend('restore', backup.id, '--into', database.name);
  expect(refused.stderr.match(/exists already/g)).toHaveLength(1);
  expect(refused.stderr).toContain(`tend restore ${backup.id} --into ${database.name} --dry-run`);
  expect(await tendJson('restore', '--into', '')).toMatchObject({
    exitCode: 64,
    json: { error: { code: 'USAGE', message: '--into: a name was expected, not an empty text.' } },
  });
  expect(await tend('restore')).toMatchObject({
    exitCode: 64,
    stderr: expect.stringContaining(`--confirm ${database.name}`),
  });
  expect(await database.query('select count(*)::int as n from public.pages')).toEqual([{ n: 0 }]);
  const restored = await tendJson('restore', backup.id, '--confirm', database.name);
  expect(restored).toMatchObject({ exitCode: 0, json: { backupId: backup.id, database: database.name } });
  expect(await database.query('select count(*)::int as n from public.pages')).toEqual([{ n: 10 }]);
});

test('what is mistyped at the terminal is refused before there is a task to fail and to alert about', async () => {
  const { name } = database;
  await tend('backup');
  const confirm = ['--confirm', name];
  const mistyped: [args: string[], exitCode: number, code: string][] = [
    [['restore', 'latest', '--into', name], 1, 'RESTORE_REFUSED'],
    [['restore', 'latest', '--into', 'x'.repeat(64)], 1, 'RESTORE_REFUSED'],
    [['restore', '20250101T000000Z-beef', ...confirm], 66, 'BACKUP_NOT_FOUND'],
    [['restore', 'lattest', '--into', `${name}_copy`], 66, 'BACKUP_NOT_FOUND'],
    [['restore', 'offsit:latest', ...confirm], 78, 'REMOTE_NOT_CONFIGURED'],
    [['restore', 'lattest', '--in-place', ...confirm], 66, 'BACKUP_NOT_FOUND'],
    [['restore', '--undo', ...confirm], 1, 'RESTORE_REFUSED'],
    [['restore', '20250101T000000Z-beef', '--undo', ...confirm], 1, 'RESTORE_REFUSED'],
    [['restore', '--resume', ...confirm], 1, 'RESTORE_REFUSED'],
    [['backup', 'verify', '20250101T000000Z-beef', '--restore'], 66, 'BACKUP_NOT_FOUND'],
    [['backup', 'push', '20250101T000000Z-beef'], 66, 'BACKUP_NOT_FOUND'],
  ];
  for (const [args, exitCode, code] of mistyped) {
    const result = await runCommand([...args, '--json'], { cwd: place.path });
    expect({ args, ...JSON.parse(result.stdout).error }).toMatchObject({ args, exitCode, code });
  }
  expect(await database.query(`select kind from tend.tasks`)).toEqual([{ kind: 'backup' }]);
  expect(await database.query(`select from tend.alerts`)).toEqual([]);
});

test('the key of an encrypted set may come from a pipe, which is read once', async () => {
  const { recipient, identity } = await newKey(place.path);
  appendFileSync(join(place.path, 'tend.toml'), `encrypt_to = ["${recipient}"]\n`);
  await tend('backup');
  const pipe = join(place.path, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const writing = writeFile(pipe, `${identity.keys[0]}\n`);
  const restored = await tendJson('restore', '--into', `${database.name}_copy`, '--identity', 'pipe');
  await writing;
  expect(restored).toMatchObject({ exitCode: 0, json: { database: `${database.name}_copy` } });
});

test('a restore the application is not healthy with: exit 1, and the old database is back', async () => {
  await tend('backup');
  await database.query('truncate public.pages');
  const [before] = await database.query('select oid from pg_database where datname = current_database()');
  // Healthy only while the table is empty, as it is in the old database.
  const query = `psql -At -c 'select 1 / (count(*) = 0)::int from public.pages' '${database.url}'`;
  const check = JSON.stringify(['sh', '-c', query]);
  appendFileSync(join(place.path, 'tend.toml'), `[app]\ncheck = { command = ${check}, within = "1s" }\n`);
  const { exitCode, json } = await tendJson('restore', '--confirm', database.name);
  expect({ exitCode, code: json.error.code }).toEqual({ exitCode: 1, code: 'RESTORE_ROLLED_BACK' });
  expect(await database.query('select oid from pg_database where datname = current_database()')).toEqual([
    before,
  ]);
});

test('an undo that failed is held, doctor has the command that goes on, and that ends the hold', async () => {
  const { name } = database;
  const well = join(place.path, 'well');
  const command = JSON.stringify(['test', '-e', well]);
  const app = `[app]\ncheck = { command = ${command}, within = "0s", steady = 1 }\n`;
  appendFileSync(join(place.path, 'tend.toml'), app);
  writeFileSync(well, '');
  await tend('backup');
  await database.query('truncate public.pages');
  const run = async (...args: string[]) => {
    const { exitCode, stdout } = await runCommand([...args, '--json'], { cwd: place.path });
    return { exitCode, json: JSON.parse(stdout) };
  };
  const unfinished = async () => {
    const { json } = await run('doctor');
    return json.checks.find((check: { name: string }) => check.name === 'unfinished-restore');
  };
  const undo = ['restore', '--undo', '--confirm', name];
  expect(await run('restore', 'latest', '--confirm', name)).toMatchObject({ exitCode: 0 });
  rmSync(well);
  const { exitCode, json } = await run(...undo);
  expect({ exitCode, ...json.error }).toMatchObject({
    ...{ exitCode: 2, code: 'RESTORE_STUCK', hint: expect.stringContaining(`tend ${undo.join(' ')}`) },
  });
  const [held] = await database.query<{ id: number; payload: object }>(
    `select id::int, payload from tend.tasks where state = 'held'`,
  );
  expect(held?.payload).toMatchObject({ undo: true });
  expect(await unfinished()).toMatchObject({
    ...{ status: 'fail', text: expect.stringContaining(`task ${held?.id} is held`) },
    fix: expect.stringMatching(new RegExp(`^tend ${undo.join(' ')}, once the application is well`)),
  });
  const shown = await runCommand(['tasks', 'show', String(held?.id)], { cwd: place.path });
  expect(shown.stdout).toContain(`tend ${undo.join(' ')}`);
  writeFileSync(well, '');
  expect(await run(...undo)).toMatchObject({
    ...{ exitCode: 0, json: { action: 'undone', resolvedTasks: [held?.id] } },
  });
  expect(await database.query(`select state from tend.tasks where id = ${held?.id}`)).toEqual([
    { state: 'succeeded' },
  ]);
  expect(await unfinished()).toMatchObject({ status: 'ok' });
  expect(await database.query('select count(*)::int as n from public.pages')).toEqual([{ n: 0 }]);
});

test('an encrypted set: what shows without its key, and what its key opens', async () => {
  const { recipient, identity } = await newKey(place.path);
  appendFileSync(join(place.path, 'tend.toml'), `encrypt_to = ["${recipient}"]\n`);
  await tend('backup');
  const key = relative(place.path, identity.path);
  const list = await tendJson('backup', 'list');
  expect(list.json.backups).toMatchObject([{ isEncrypted: true, recipients: [recipient] }]);
  expect(await tendJson('backup', 'verify')).toMatchObject({ exitCode: 0, json: { level: 'stored' } });
  expect(await tendJson('backup', 'verify', '--identity', key)).toMatchObject({
    exitCode: 0,
    json: { level: 'content' },
  });
  const into = ['restore', 'latest', '--into', `${database.name}_copy`];
  expect(await tendJson(...into, '--dry-run')).toMatchObject({
    exitCode: 78,
    json: { error: { code: 'BACKUP_KEY_MISSING' } },
  });
  const restored = await tendJson(...into, '--identity', key);
  expect(restored).toMatchObject({ exitCode: 0, json: { database: `${database.name}_copy` } });
  const secret = identity.keys[0] ?? '';
  const kept = await database.query(`select count(*)::int as n from tend.attempts a where a::text like $1`, [
    `%${secret}%`,
  ]);
  expect(kept).toEqual([{ n: 0 }]);
});

test.each([
  { args: ['backup', 'show', '20250101T000000Z-beef'], exitCode: 66, code: 'BACKUP_NOT_FOUND' },
  { args: ['backup', 'verify'], exitCode: 66, code: 'BACKUP_NOT_FOUND' },
  { args: ['restore', 'nothing', '--dry-run'], exitCode: 66, code: 'BACKUP_NOT_FOUND' },
  { args: ['app', 'check'], exitCode: 78, code: 'APP_NOT_CONFIGURED' },
  { args: ['app', 'restart'], exitCode: 78, code: 'APP_NOT_CONFIGURED' },
])('tend $args ends with $exitCode', async ({ args, exitCode, code }) => {
  expect(await tendJson(...args)).toMatchObject({ exitCode, json: { error: { code, exitCode } } });
});

test('app restart and app check run what is configured', async () => {
  appendFileSync(
    join(place.path, 'tend.toml'),
    '[app]\nrestart = ["touch", "restarted"]\ncheck = { command = ["test", "-e", "restarted"], within = "0s" }\n',
  );
  expect(await tendJson('app', 'check')).toMatchObject({
    exitCode: 69,
    json: { error: { code: 'APP_UNHEALTHY' } },
  });
  expect(await tendJson('app', 'restart')).toMatchObject({
    exitCode: 0,
    json: { isChecked: true, tries: 1 },
  });
  expect(await tendJson('app', 'check')).toMatchObject({ exitCode: 0, json: { isHealthy: true } });
});

test('app restart --timeout says how long the application may take to be healthy, instead of within', async () => {
  appendFileSync(
    join(place.path, 'tend.toml'),
    '[app]\nrestart = ["true"]\ncheck = { command = ["test", "-e", "up"], within = "1h" }\n',
  );
  expect(await tendJson('app', 'restart', '--timeout', '0s')).toMatchObject({
    exitCode: 69,
    json: { error: { code: 'APP_UNHEALTHY', message: expect.stringContaining('(tried once)') } },
  });
  writeFileSync(join(place.path, 'up'), '');
  expect(await tendJson('app', 'restart', '--timeout', '30s')).toMatchObject({
    exitCode: 0,
    json: { isChecked: true, tries: 1 },
  });
});
