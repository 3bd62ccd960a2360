import { randomBytes } from 'node:crypto';

const pattern = /^(\d{8})T(\d{6})Z-([0-9a-f]{4})$/;

/** A new id such as `20261122T023000Z-7f3a`: sorts by time, and two in the same second differ. */
export function newBackupId(now: Date): string {
  const time = now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  return `${time}-${randomBytes(2).toString('hex')}`;
}

export function isBackupId(text: string): boolean {
  return pattern.test(text);
}

/** Whether what has this name in a place of sets is none. Hidden names are those of locks and of file systems. */
export function isStranger(name: string): boolean {
  return !name.startsWith('.') && !isBackupId(name);
}

/**
 * The name of a database that belongs to the restore `id` of `database`: `cms_before_20261122_023000_7f3a`. A long
 * database name is shortened, since PostgreSQL would cut the id off instead (63 bytes).
 */
export function companionDatabase(
  database: string,
  role: 'tend' | 'before' | 'undone' | 'verify',
  id: string,
): string {
  const suffix = `_${role}_${id.replace(/[TZ-]+/g, '_')}`;
  let stem = Buffer.from(database);
  const room = 63 - suffix.length;
  if (stem.length > room) {
    let end = room;
    // Never inside a UTF-8 character, whose further bytes are 10xxxxxx.
    while (end > 0 && ((stem[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    stem = stem.subarray(0, end);
  }
  return stem.toString('utf8') + suffix;
}

/** When the backup or restore of this id began, to the second. */
export function timeOfBackupId(id: string): Date {
  const [, day = '', time = ''] = pattern.exec(id) ?? [];
  const digits = `${day}${time}`;
  return new Date(digits.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z'));
}
