import { rm, stat } from 'node:fs/promises';
import { type BackupSite, openBackupSite, takeSetAway } from './backup-site.ts';
import type { Bench } from './bench.ts';
import type { ProgramCosts } from './measure-in-turn.ts';
import { toMeasurement } from './measure-in-turn.ts';
import { measureProgram, type Program } from './measure-program.ts';
import { type BenchResult, ratioClaim } from './results.ts';
import { compare, median } from './statistics.ts';

const rounds = 3;

/** What a backup costs that is compressed, encrypted and checksummed, against pg_dump's own compression alone. */
export async function backup(bench: Bench): Promise<BenchResult> {
  const small = await openBackupSite(bench, { name: 'backup_small', gigabytes: 0.1 });
  const large = await openBackupSite(bench, { name: 'backup_large', gigabytes: 1 });
  const sides = {
    dump: side('`pg_dump -Fc`, 1 GB', pgDump(large), () => stat(large.file('dump')).then(({ size }) => size)),
    tend: side('`tend backup`, 1 GB', large.tend('backup'), () => takeSetAway(large)),
    alone: side('`tend backup` without `age` and `zstd`, 1 GB', large.tendAlone('backup'), () =>
      takeSetAway(large),
    ),
    smallDump: side('`pg_dump -Fc`, 0.1 GB', pgDump(small), () =>
      stat(small.file('dump')).then(({ size }) => size),
    ),
    small: side('`tend backup`, 0.1 GB', small.tend('backup'), () => takeSetAway(small)),
    smallAlone: side('`tend backup` without `age` and `zstd`, 0.1 GB', small.tendAlone('backup'), () =>
      takeSetAway(small),
    ),
  };
  for (let round = 0; round < Math.min(rounds, bench.pairs); round++) {
    for (const one of Object.values(sides)) await measureSide(one);
  }
  for (const { database, file } of [small, large]) {
    await rm(file('dump'));
    await bench.dropDatabase(database);
  }
  const { dump, tend, alone } = sides;
  return {
    title: 'Backup',
    method: `Two databases, of 0.1 and 1 GB by \`pg_database_size\`: pgbench’s accounts, customers in jsonb with GIN indexes, prose with a full-text index, events, random bytes, large objects, a materialized view. \`pg_dump -Fc\` (its own gzip, one file) and \`tend backup\` (zstd, encrypted to one recipient of age, SHA-256, rows counted, fsync, manifest) run in turn, ${rounds} rounds; then tend with neither \`age\` nor \`zstd\` on PATH, where Node does it all (no bound). Peak memory is that of the biggest process of the command, which is tend’s own, from wait4(2).`,
    claims: [
      ratioClaim(
        'wall of a backup ÷ `pg_dump -Fc`, 1 GB',
        'at most 0.35',
        compare(tend.costs.wallMs, dump.costs.wallMs),
      ),
      ratioClaim('its size ÷ that of `pg_dump -Fc`', 'at most 1', compare(tend.bytes, dump.bytes)),
      memoryClaim('peak memory of a backup of 1 GB, MiB', 'at most 200', tend),
      ratioClaim(
        'peak memory of a backup, 1 GB ÷ 0.1 GB',
        'at most 1.1',
        compare(tend.costs.peakMiB, sides.small.costs.peakMiB),
      ),
      ratioClaim(
        'wall without `age` and `zstd` ÷ `pg_dump -Fc`, 1 GB',
        'none',
        compare(alone.costs.wallMs, dump.costs.wallMs),
      ),
      memoryClaim('its peak memory, MiB', 'none', alone),
      ratioClaim(
        'the same, 1 GB ÷ 0.1 GB',
        'none',
        compare(alone.costs.peakMiB, sides.smallAlone.costs.peakMiB),
      ),
    ],
    measurements: Object.values(sides).map(({ subject, costs, bytes }) => {
      const { columns } = toMeasurement(subject, costs);
      return { subject, columns: { ...columns, MB: bytes.map((size) => size / 1e6) } };
    }),
  };
}

interface Side {
  subject: string;
  program: Program;
  /** Size of what was made. */
  measure: () => Promise<number>;
  costs: ProgramCosts;
  bytes: number[];
}

function side(subject: string, program: Program, measure: Side['measure']): Side {
  return { subject, program, measure, costs: { wallMs: [], cpuMs: [], peakMiB: [] }, bytes: [] };
}

function pgDump({ postgres, file, database }: BackupSite): Program {
  return postgres('pg_dump', '--format=custom', `--file=${file('dump')}`, `--dbname=${database.url}`);
}

async function measureSide({ program, measure, costs, bytes }: Side): Promise<void> {
  const { wallMs, cpuMs, peakMiB } = await measureProgram(program);
  costs.wallMs.push(wallMs);
  costs.cpuMs.push(cpuMs);
  costs.peakMiB.push(peakMiB);
  bytes.push(await measure());
}

function memoryClaim(what: string, bound: 'at most 200' | 'none', { costs }: Side) {
  return { what, bound, measured: median(costs.peakMiB), ofMinima: Math.min(...costs.peakMiB) } as const;
}
