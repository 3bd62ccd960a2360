import { ArchiveCursor } from './archive-cursor.ts';

export const archiveMagic = Buffer.from('PGDMP');

/** How pg_dump lays an archive out; all three begin with the same table of contents. */
export type ArchiveFormat = 'custom' | 'tar' | 'directory';

/** What the beginning of an archive says about it; readable whatever version wrote it. */
export interface ArchiveHead {
  /** Of the archive format: 114 is 1.14 (PostgreSQL 12 to 15). */
  version: number;
  format: ArchiveFormat | undefined;
  database: string;
  /** As the server said: `15.18 (Debian 15.18-0+deb12u1)`. */
  serverVersion: string;
  dumpVersion: string;
  /** By the clock and in the time zone of the machine that dumped; read in ours. */
  madeAt: Date;
}

export interface ArchiveEntry {
  id: number;
  hasData: boolean;
  name: string;
  /** `TABLE`, `TABLE DATA`, `ACL`, `EXTENSION`, `DATABASE`, … */
  kind: string;
  schema: string;
  definition: string;
  owner: string;
  /** Where the place of the entry's data is written; only the custom format has it. */
  placeAt: number;
}

export interface ArchiveToc {
  head: ArchiveHead;
  entries: ArchiveEntry[];
  intSize: number;
  offsetSize: number;
  /** Where the table ends; in the custom format the data begin there. */
  endsAt: number;
}

const formats: Record<number, ArchiveFormat> = { 1: 'custom', 3: 'tar', 5: 'directory' };

/** The formats whose entries are read here: PostgreSQL 9.0 to 18. */
const readable = { from: 112, to: 116 };

/**
 * Reads the head of an archive.
 *
 * @throws NeedsMoreBytes where the bytes end too early.
 */
export function readArchiveHead(bytes: Buffer): ArchiveHead {
  return readHead(new ArchiveCursor(bytes)).head;
}

/**
 * Reads the whole table of contents; undefined where a newer pg_dump wrote it in a format that is not known here.
 *
 * @throws NeedsMoreBytes where the bytes end too early.
 */
export function readArchiveToc(bytes: Buffer): ArchiveToc | undefined {
  const cursor = new ArchiveCursor(bytes);
  const { head, offsetSize } = readHead(cursor);
  if (head.version < readable.from || head.version > readable.to || head.format === undefined)
    return undefined;
  const count = cursor.int();
  const entries: ArchiveEntry[] = [];
  for (let index = 0; index < count; index += 1) entries.push(readEntry(cursor, head, offsetSize));
  return { head, entries, intSize: cursor.intSize, offsetSize, endsAt: cursor.at };
}

function readHead(cursor: ArchiveCursor): { head: ArchiveHead; offsetSize: number } {
  cursor.skip(archiveMagic.length);
  const version = cursor.byte() * 100 + cursor.byte();
  cursor.skip(1); // revision
  cursor.intSize = cursor.byte();
  const offsetSize = cursor.byte();
  const format = formats[cursor.byte()];
  if (version >= 115) cursor.skip(1);
  else cursor.int(); // compression
  const [seconds = 0, minutes = 0, hours = 0, day = 1, month = 0, years = 0] = Array.from({ length: 7 }, () =>
    cursor.int(),
  );
  const [database, serverVersion, dumpVersion] = [cursor.text(), cursor.text(), cursor.text()];
  const head = {
    version,
    format,
    database: database ?? '',
    serverVersion: serverVersion ?? '',
    dumpVersion: dumpVersion ?? '',
    madeAt: new Date(1900 + years, month, day, hours, minutes, seconds),
  };
  return { head, offsetSize };
}

/** In the order of WriteToc; what is not needed is read and dropped. */
function readEntry(
  cursor: ArchiveCursor,
  { version, format }: ArchiveHead,
  offsetSize: number,
): ArchiveEntry {
  const id = cursor.int();
  const hasData = cursor.int() !== 0;
  cursor.text(); // oid of the catalog
  cursor.text(); // oid of the object
  const name = cursor.text() ?? '';
  const kind = cursor.text() ?? '';
  cursor.int(); // section
  const definition = cursor.text() ?? '';
  cursor.text(); // how to drop it
  cursor.text(); // how its rows are copied
  const schema = cursor.text() ?? '';
  cursor.text(); // tablespace
  if (version >= 114) cursor.text(); // access method
  if (version >= 116) cursor.int(); // kind of relation
  const owner = cursor.text() ?? '';
  cursor.text(); // with oids
  while (cursor.text() !== null); // what it depends on
  const placeAt = cursor.at;
  if (format === 'custom') cursor.skip(1 + offsetSize);
  else cursor.text(); // name of its file
  return { id, hasData, name, kind, schema, definition, owner, placeAt };
}
