import fc from 'fast-check';
import { expect, test } from 'vitest';
import { companionDatabase, isBackupId, newBackupId } from '../../../src/backups/sets/backup-id.ts';

test('an id sorts by its time', () => {
  const ids = ['2026-11-22T02:30:00.999Z', '2026-11-22T02:30:01Z', '2027-01-01T00:00:00Z'].map((at) =>
    newBackupId(new Date(at)),
  );
  expect([...ids].sort()).toEqual(ids);
  expect(ids.every(isBackupId)).toBe(true);
});

test.each(['20261122T023000Z-7f3a.partial', '../20261122T023000Z-7f3a', 'latest', ''])(
  '"%s" is no id',
  (text) => {
    expect(isBackupId(text)).toBe(false);
  },
);

test('the name of a companion fits PostgreSQL, keeps the id whole and cuts no character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), (database) => {
      const name = companionDatabase(database, 'before', '20261122T023000Z-7f3a');
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
      expect(name.endsWith('_before_20261122_023000_7f3a')).toBe(true);
      expect(database.startsWith(name.slice(0, -'_before_20261122_023000_7f3a'.length))).toBe(true);
    }),
  );
});
