import { findMigrations, schemaTooNew } from '../../database/migrate.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** Schema `tend` in the database is the one of this program. */
export const checkSchema: DoctorCheck = {
  name: 'schema',
  needs: 'database',
  async run({ openDatabase }) {
    const { migrations, unknown } = await findMigrations(await openDatabase());
    if (unknown.length > 0) throw schemaTooNew(unknown.join(', '));
    const pending = migrations.filter(({ appliedAt }) => appliedAt === null);
    const last = migrations.at(-1)?.name ?? '';
    if (pending.length === 0) return { status: 'ok', text: `schema "tend" is at ${last}` };
    const names = pending.map(({ name }) => name).join(', ');
    const text =
      pending.length === migrations.length
        ? 'the database has no schema "tend" yet'
        : `schema "tend" is older than this program: ${names} pending`;
    return { status: 'fail', text, fix: 'tend migrations up' };
  },
};
