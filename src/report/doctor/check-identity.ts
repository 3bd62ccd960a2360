import { sql } from 'kysely';
import type { DoctorCheck } from './doctor-check.ts';

/** The database is no clone and no restored copy, in which no tick runs. */
export const checkIdentity: DoctorCheck = {
  name: 'identity',
  needs: 'schema',
  async run({ openDatabase }) {
    const { rows } = await sql<{ database: string; copiedFrom: string | null }>`
      select current_database() as database, tend.copied_from() as "copiedFrom"`.execute(
      await openDatabase(),
    );
    const [{ database, copiedFrom } = { database: '', copiedFrom: null }] = rows;
    if (copiedFrom === null) return { status: 'ok', text: `database "${database}" is its own` };
    return {
      status: 'fail',
      text: `database "${database}" is a copy: its queue is that of ${copiedFrom}, and nothing runs here`,
      fix: 'tend doctor --adopt',
    };
  },
};
