import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findRestores, type RestoreFacts } from '../../../src/backups/cut-over/find-restores.ts';
import { RestoreJournal } from '../../../src/backups/cut-over/restore-journal.ts';
import { findRestoreDirectory } from '../../../src/backups/restore/find-restore-directory.ts';
import { systemClock } from '../../../src/clock.ts';
import { silentLog } from '../../../src/log.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { configFor } from '../support/fixture.ts';

let place: TemporaryDirectory;
let directory: string;

beforeEach(async () => {
  place = await temporaryDirectory();
  directory = join(place.path, '.restores');
});
afterEach(async () => await place[Symbol.asyncDispose]());

const facts: RestoreFacts = {
  ...{ id: '20261122T023000Z-7f3a', database: 'cms', backupId: null, source: 'latest', touchesApp: true },
  ...{ scratch: 'cms_tend', keptAs: 'cms_before', undoneAs: 'cms_undone', files: [] },
};
const begin = async (taskId: number | null = 7) =>
  await RestoreJournal.begin({ directory, facts, taskId, clock: systemClock, log: silentLog });
const find = async () => await findRestores({ directory, database: 'cms' });

test('says what a restore is about to do, and who did it, to its owner alone', async () => {
  const journal = await begin();
  await journal.write('cutting-over', { rowsBefore: 12 });
  const [record] = await find();
  expect(record).toMatchObject({ facts, phase: 'cutting-over', rowsBefore: 12, taskIds: [7] });
  expect(record?.process.pid).toBe(process.pid);
  expect(statSync(journal.record.path).mode & 0o777).toBe(0o600);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(await findRestores({ directory, database: 'other' })).toEqual([]);
});

test('goes on behind a line that was cut off, by another task', async () => {
  const { record } = await begin();
  appendFileSync(record.path, '{"at":"2026-11-22T02:3');
  const [found = record] = await find();
  expect(found.phase).toBe('begun');
  const journal = RestoreJournal.continue(found, { taskId: 9, clock: systemClock, log: silentLog });
  await journal.write('undone');
  expect(await find()).toMatchObject([{ phase: 'undone', taskIds: [7, 9], facts }]);
  expect(readFileSync(record.path, 'utf8').split('\n')).toHaveLength(4);
});

test('whose first line was cut off is of a restore that had done nothing', async () => {
  const { record } = await begin();
  writeFileSync(record.path, readFileSync(record.path, 'utf8').slice(0, 60));
  expect(await find()).toEqual([]);
});

test('after the cut-over, a disk that takes nothing more stops nothing', async () => {
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (line: string) => void warnings.push(line) };
  const clock = systemClock;
  const full = '/dev/full/restores';
  const journal = RestoreJournal.of({ directory: full, facts, taskId: null, clock, log });
  await journal.note('cut-over');
  expect(journal.record.phase).toBe('cut-over');
  expect(warnings).toEqual([expect.stringContaining('"cut-over" could not be noted')]);
  await expect(
    RestoreJournal.begin({ directory: full, facts, taskId: null, clock, log }),
  ).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' });
});

test('is beside the sets, or in the state directory of a host that takes none', () => {
  const config = configFor({ directory: 'backups' });
  const at = (given: object, env: NodeJS.ProcessEnv) =>
    findRestoreDirectory({ config: { backup: { ...config.backup, ...given } }, baseDirectory: '/srv', env });
  expect(at({}, {})).toBe('/srv/backups/.restores');
  expect(at({ directory: undefined }, { XDG_STATE_HOME: '/var/state' })).toBe('/var/state/tend/restores');
  expect(at({ directory: undefined }, { HOME: '/home/cms' })).toBe('/home/cms/.local/state/tend/restores');
});
