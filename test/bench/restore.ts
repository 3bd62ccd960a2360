import { rm } from 'node:fs/promises';
import { type BackupSite, openBackupSite } from './backup-site.ts';
import type { Bench } from './bench.ts';
import { measureProgram, type Program } from './measure-program.ts';
import { probeOutage } from './probe-outage.ts';
import { type BenchResult, ratioClaim } from './results.ts';
import { compare, median } from './statistics.ts';

const rounds = 3;

/** What a restore costs that is decrypted, compared with its manifest and analysed, and how long nobody can connect. */
export async function restore(bench: Bench): Promise<BenchResult> {
  const small = await openBackupSite(bench, { name: 'restore_small', gigabytes: 0.1 });
  const large = await openBackupSite(bench, { name: 'restore_large', gigabytes: 1 });
  const url = `--dbname=${large.database.url}`;
  await measureProgram(large.postgres('pg_dump', '-Fc', `--file=${large.file('dump')}`, url));
  await measureProgram(large.postgres('pg_dump', '-Fd', '-j2', `--file=${large.file('dump.d')}`, url));
  for (const site of [small, large]) await measureProgram(site.tend('backup'));

  const walls = { custom: [] as number[], directory: [] as number[], tend: [] as number[] };
  for (let round = 0; round < Math.min(rounds, bench.pairs); round++) {
    walls.custom.push(await intoNew(bench, pgRestore(large, 'dump')));
    walls.directory.push(await intoNew(bench, pgRestore(large, 'dump.d')));
    walls.tend.push(await ofTend(large));
  }
  const fastest = walls.custom.map((wall, round) => Math.min(wall, walls.directory[round] ?? wall));
  const outages = { small: [] as number[], large: [] as number[] };
  for (let round = 0; round < Math.min(rounds, bench.pairs); round++) {
    outages.small.push(await outageOf(small));
    outages.large.push(await outageOf(large));
  }
  for (const name of ['dump', 'dump.d', 'backups']) await rm(large.file(name), { recursive: true });
  const { method, claims } = words(compare(walls.tend, fastest), outages);
  return {
    title: 'Restore',
    method,
    claims,
    measurements: [
      { subject: '`pg_restore -j2` of `pg_dump -Fc`', columns: { 'wall ms': walls.custom } },
      { subject: '`pg_restore -j2` of `pg_dump -Fd`', columns: { 'wall ms': walls.directory } },
      { subject: '`tend restore --into`', columns: { 'wall ms': walls.tend } },
      { subject: 'cut-over, 0.1 GB', columns: { 'outage ms': outages.small } },
      { subject: 'cut-over, 1 GB', columns: { 'outage ms': outages.large } },
    ],
  };
}

function words(
  speed: ReturnType<typeof compare>,
  outages: { small: number[]; large: number[] },
): Pick<BenchResult, 'method' | 'claims'> {
  const growth = outages.large.map((outage, round) => outage - (outages.small[round] ?? 0));
  return {
    method: `The databases of the backup. \`pg_restore -e -j2\` of \`pg_dump -Fc\` and of \`-Fd\` (default compression) into a new database, and \`tend restore --into\` of an encrypted set, which also verifies the whole set before it begins, counts every row afterwards and gathers statistics: ${rounds} rounds in turn, and the faster of the two counts. Then the set is restored in place of the live database while a client connects every 20 ms: the outage is what it sees, from the last answer before a failure to the first after it.`,
    claims: [
      ratioClaim('wall of a restore ÷ the fastest `pg_restore`, 1 GB', 'at most 1.25', speed),
      { what: 'outage at the cut-over of 1 GB, ms', bound: 'at most 1500', ...best(outages.large) },
      { what: 'by how much it is longer than of 0.1 GB, ms', bound: 'at most 300', ...best(growth) },
    ],
  };
}

function best(values: readonly number[]) {
  return { measured: median(values), ofMinima: Math.min(...values) };
}

function pgRestore({ postgres, file, database }: BackupSite, name: string): (target: string) => Program {
  return (target) => {
    const url = database.url.replace(`/${database.connection.database}?`, `/${target}?`);
    return postgres('pg_restore', '--exit-on-error', '-j2', `--dbname=${url}`, file(name));
  };
}

async function intoNew(bench: Bench, program: (target: string) => Program): Promise<number> {
  const target = await bench.createDatabase('restored_by_peer', { isMigrated: false });
  const { wallMs } = await measureProgram(program('restored_by_peer'));
  await bench.dropDatabase(target);
  await rm(target.directory, { recursive: true });
  return wallMs;
}

async function ofTend({ tend, database, identity }: BackupSite): Promise<number> {
  const into = 'restored_by_tend';
  const program = tend('restore', 'latest', '--into', into, '--identity', identity);
  const { wallMs } = await measureProgram(program);
  await database.client.query(`drop database ${into} with (force)`);
  return wallMs;
}

/** The session of the bench itself is ended with all others; what it says to that is nobody's business. */
async function outageOf({ tend, database, identity }: BackupSite): Promise<number> {
  const { database: name } = database.connection;
  database.client.on('error', () => {});
  const program = tend('restore', 'latest', '--confirm', name, '--identity', identity);
  return await probeOutage(database, () => measureProgram(program));
}
