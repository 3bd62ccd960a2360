import { sql } from 'kysely';
import { shellWord } from '../../shell-word.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** Every message catalog of this host was installed when it was compiled last. */
export const checkCatalogs: DoctorCheck = {
  name: 'catalogs',
  needs: 'identity',
  async run({ openDatabase, host }) {
    const { rows } = await sql<{ path: string; message: string | null; failed: number; all: number }>`
      select c.path, c.message, count(*) over () as failed,
             (select count(*) from tend.catalogs a where a.host = ${host}) as all
        from tend.catalogs c where c.host = ${host} and c.result = 'failed' order by c.path limit 1`.execute(
      await openDatabase(),
    );
    const [first] = rows;
    if (first === undefined) return { status: 'ok', text: 'none has failed' };
    const { path, message, failed, all } = first;
    return {
      status: 'warn',
      text: `${failed} of ${all} could not be compiled, the first of them ${path}: ${message ?? 'no reason is known'}`,
      fix: `tend compile-translations --check ${shellWord(path)}`,
    };
  },
};
