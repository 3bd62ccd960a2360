import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { applyRetention, previewRetention } from '../../../src/backups/retention/apply-retention.ts';
import { carryOutPrune } from '../../../src/backups/retention/carry-out-prune.ts';
import type { PrunePlan } from '../../../src/backups/retention/plan-prune.ts';
import { retainAfterBackup } from '../../../src/backups/retention/retain-after-backup.ts';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { lockBackups } from '../../../src/backups/sets/backup-lock.ts';
import { directoryStore } from '../../../src/backups/sets/backup-store.ts';
import {
  recordBackup,
  recordVerified,
  recordVerifyFailure,
} from '../../../src/backups/sets/record-backup.ts';
import { systemClock } from '../../../src/clock.ts';
import type { Config } from '../../../src/config/schema.ts';
import type { Database } from '../../../src/database/tables.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { cloneSet } from '../support/clone-set.ts';
import { configFor, takeBackup } from '../support/fixture.ts';

const day = 86_400_000;

let database: TestDatabase;
let db: Kysely<Database>;
let origin: TemporaryDirectory;
let original: BackupSet;
let place: TemporaryDirectory;
/** A set a day, newest first. */
let sets: BackupSet[];

beforeAll(async () => {
  database = await createTestDatabase();
  db = await database.openDatabase();
  origin = await temporaryDirectory();
  original = await takeBackup({ database, directory: origin.path });
});
afterAll(async () => {
  await db.destroy();
  await database[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});
beforeEach(async () => {
  place = await temporaryDirectory();
  sets = await Promise.all([0, 1, 2, 3, 4].map(async (days) => await taken(days)));
  await database.query('truncate tend.backups, tend.tasks cascade');
  for (const set of sets) await recordBackup({ db, set, taskId: null, log: silentLog });
});
afterEach(async () => await place[Symbol.asyncDispose]());

async function taken(daysAgo: number, database: Partial<BackupSet['manifest']['database']> = {}) {
  const at = new Date(Date.parse('2026-11-24T02:30:00Z') - daysAgo * day);
  return await cloneSet(original, { at, directory: place.path, database });
}

function options(keep: Config['backup']['keep']) {
  return {
    ...{ config: configFor({ directory: place.path, config: { keep } }), baseDirectory: '/' },
    ...{ connection: database.connection, db, host: 'testhost', clock: systemClock, log: silentLog },
    ...{ env: process.env, secrets: new SecretRegistry(), signal: new AbortController().signal },
  };
}

const idsOf = (some: readonly BackupSet[]) => some.map(({ id }) => id);
const there = () => readdirSync(place.path).filter((name) => !name.startsWith('.'));
const rowOf = async (set: BackupSet | undefined) =>
  (
    await database.query(
      `select removed_at is not null as removed, removed_reason as reason from tend.backups where id = $1`,
      [set?.id],
    )
  )[0];

describe('applyRetention', () => {
  it('removes what nothing keeps, and its row stays with the reason', async () => {
    const report = await applyRetention(options({ last: 2 }));
    expect(there()).toEqual(idsOf(sets.slice(0, 2)).toSorted());
    expect(report).toMatchObject({ kept: 2, failed: [], left: [] });
    expect(report.removed.map(({ id }) => id)).toEqual(idsOf(sets.slice(2)).toReversed());
    expect(report.freedBytes).toBe(report.removed.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(await rowOf(sets[4])).toEqual({ removed: true, reason: 'no rule keeps it' });
    expect(await rowOf(sets[0])).toEqual({ removed: false, reason: null });
  });

  it('previewed, tells the same and removes nothing', async () => {
    const { decisions } = await previewRetention(options({ last: 2 }));
    expect(decisions.map(({ action }) => action)).toEqual(['keep', 'keep', 'remove', 'remove', 'remove']);
    expect(there()).toHaveLength(5);
  });

  it('leaves what is not certainly a good set of this database alone, uncounted, and names it', async () => {
    const others = [
      await taken(0, { name: `${database.name}-staging` }),
      await taken(0, { systemIdentifier: '4711' }),
    ];
    mkdirSync(join(place.path, 'photos'));
    writeFileSync(join(place.path, 'notes.txt'), 'mine');
    appendFileSync(join(sets[0]?.path ?? '', 'database.dump.zst'), 'x');
    writeFileSync(join(sets[1]?.path ?? '', 'manifest.json'), '{');
    await recordVerifyFailure({
      db,
      set: sets[2] as BackupSet,
      error: 'it is broken',
      foundBy: 'read',
      log: silentLog,
    }); // there are five
    const { removed, left } = await applyRetention(options({ last: 1 }));
    expect(removed.map(({ id }) => id)).toEqual([sets[4]?.id]);
    expect(Object.fromEntries(left.map(({ name, why }) => [name, why]))).toEqual({
      [sets[0]?.id ?? '']: expect.stringMatching(/^damaged: .* bytes, not/),
      [sets[1]?.id ?? '']: expect.stringContaining('it is not JSON'),
      [sets[2]?.id ?? '']: 'did not verify: it is broken',
      [others[0]?.id ?? '']: `of database "${database.name}-staging"`,
      [others[1]?.id ?? '']: expect.stringContaining('on another server (system identifier 4711)'),
      photos: 'no backup set',
      'notes.txt': 'no backup set',
    });
    expect(there()).toHaveLength(8);
  });

  it('keeps the newest verified set', async () => {
    await recordVerified({ db, set: sets[3] as BackupSet, at: new Date(), log: silentLog }); // there are five
    await applyRetention(options({ last: 1 }));
    expect(there()).toEqual(idsOf([sets[3], sets[0]] as BackupSet[]));
  });

  it('keeps the sets that unfinished tasks need', async () => {
    const task = async (columns: string, values: string) =>
      await database.query(`insert into tend.tasks (kind, payload, state ${columns}) values ${values}`);
    await task(', reason', `('restore', '{"source": "/mnt/${sets[4]?.id}"}', 'held', 'lost')`);
    await task('', `('verify-backup', '{"id": "${sets[3]?.id}"}', 'waiting')`);
    const started = `, lease_owner, lease_token, lease_until, started_at`;
    const at = sets[2]?.manifest.finishedAt;
    await task(started, `('verify-backup', '{}', 'running', 'w', gen_random_uuid(), now(), '${at}')`);
    const { removed } = await applyRetention(options({ last: 1 }));
    expect(removed.map(({ id }) => id)).toEqual([sets[1]?.id]);
  });

  it('keeps the sets that unfinished tasks restore from a remote', async () => {
    const started = `, lease_owner, lease_token, lease_until, started_at`;
    const at = sets[2]?.manifest.finishedAt;
    await database.query(`insert into tend.tasks (kind, payload, state, reason) values
      ('restore', '{"source": "offsite:${sets[4]?.id}"}', 'held', 'lost')`);
    await database.query(`insert into tend.tasks (kind, payload, state ${started}) values
      ('restore', '{"source": "offsite:latest"}', 'running', 'w', gen_random_uuid(), now(), '${at}')`);
    const { removed } = await applyRetention(options({ last: 1 }));
    expect(removed.map(({ id }) => id)).toEqual([sets[3]?.id, sets[1]?.id]);
  });

  it('keeps the set that a task has yet to copy to a remote, as long as the task tries', async () => {
    await database.query(`insert into tend.tasks (kind, payload, state, finished_at) values
      ('push-backup', '{"id": "${sets[2]?.id}", "remotes": ["offsite"]}', 'waiting', null),
      ('push-backup', '{"id": "${sets[1]?.id}", "remotes": ["offsite"]}', 'failed', now())`);
    await applyRetention(options({ last: 1 }));
    expect(there()).toEqual(idsOf([sets[2], sets[0]] as BackupSet[]));
  });

  it('refuses where nothing says what may go, with exit code 78', async () => {
    for (const keep of [undefined, {}, { last: 0 }])
      await expect(applyRetention(options(keep))).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        exitCode: 78,
      });
    expect(there()).toHaveLength(5);
  });

  it('goes by age alone where only that is said', async () => {
    await applyRetention({ ...options(undefined), olderThanMs: 2 * day });
    expect(there()).toHaveLength(3);
  });

  it('refuses while a backup or restore is at work', async () => {
    using _lock = await lockBackups(place.path);
    await expect(applyRetention(options({ last: 1 }))).rejects.toMatchObject({ code: 'BACKUP_BUSY' });
  });

  it('refuses in a copy, where the sets are those of the original', async () => {
    await database.query('update tend.meta set database_oid = database_oid::bigint + 1');
    try {
      await expect(applyRetention(options({ last: 1 }))).rejects.toMatchObject({
        code: 'DATABASE_IS_A_COPY',
      });
    } finally {
      await database.query('update tend.meta set database_oid = database_oid::bigint - 1');
    }
  });

  it('works where the database has no queue', async () => {
    await using bare = await createTestDatabase({ empty: true });
    await using session = await bare.openDatabase();
    const own = await Promise.all([1, 2].map(async (days) => await taken(days, { name: bare.name })));
    const { removed } = await applyRetention({
      ...options({ last: 1 }),
      db: session,
      connection: bare.connection,
    });
    expect(removed.map(({ id }) => id)).toEqual([own[1]?.id]);
  });

  it('notes what somebody else has removed, and takes it back when it is there again', async () => {
    rmSync(sets[1]?.path ?? '', { recursive: true });
    await applyRetention(options({ last: 9 }));
    expect(await rowOf(sets[1])).toEqual({ removed: true, reason: 'it is not in its directory any more' });
    await database.query(`update tend.backups set removed_at = now(), removed_reason = 'x' where id = $1`, [
      sets[0]?.id,
    ]);
    await applyRetention(options({ last: 9 }));
    expect(await rowOf(sets[0])).toEqual({ removed: false, reason: null });
  });

  it('sweeps what a removal that was killed has left', async () => {
    const half = join(place.path, `${sets[0]?.id.slice(0, -4)}beef.removing`);
    mkdirSync(half);
    await applyRetention(options({ last: 9 }));
    expect(there()).toHaveLength(5);
  });
});

it('a set that cannot be removed is reported, its row stays, and the others go', async () => {
  const store = directoryStore(place.path);
  // Something else has the name that a set gets while it is removed.
  mkdirSync(join(place.path, `${sets[1]?.id}.removing`, 'full'), { recursive: true });
  const toRemove = sets.slice(1, 3).map((set) => ({
    set,
    decision: { id: set.id, startedAt: '', bytes: 1, action: 'remove', reasons: ['old'] } as const,
  }));
  const plan = { place: place.path, decisions: toRemove.map(({ decision }) => decision), left: [], toRemove };
  const told: string[] = [];
  const report = await carryOutPrune({
    ...{ plan: plan as unknown as PrunePlan, store, log: silentLog, signal: new AbortController().signal }, // reasons only differ in being readonly
    onRemoved: async ({ id }) => {
      told.push(id);
    },
  });
  expect(report.failed).toEqual([{ id: sets[1]?.id, code: null, why: expect.stringContaining('ENOTEMPTY') }]);
  expect(told).toEqual([sets[2]?.id]);
  expect(there()).toContain(sets[1]?.id);
});

describe('retainAfterBackup', () => {
  it('does nothing where no retention is configured', async () => {
    expect(await retainAfterBackup(options(undefined))).toBeNull();
    expect(there()).toHaveLength(5);
  });

  it('tells what went', async () => {
    expect(await retainAfterBackup(options({ last: 4 }))).toEqual({
      removed: [sets[4]?.id],
      failed: [],
      error: null,
    });
  });

  it('what goes wrong does not spoil the backup, and removes nothing', async () => {
    using _lock = await lockBackups(place.path);
    const outcome = await retainAfterBackup(options({ last: 1 }));
    expect(outcome).toMatchObject({
      removed: [],
      error: expect.stringContaining('Another backup or restore'),
    });
    expect(there()).toHaveLength(5);
  });
});
