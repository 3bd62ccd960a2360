import { findHorizonHolders, type HorizonHolder } from '../../activity/find-horizon-holders.ts';
import { countOf } from '../../count-of.ts';
import { formatDuration } from '../../duration.ts';
import type { DoctorCheck } from './doctor-check.ts';
import { limitFinding } from './limit-finding.ts';

const longMs = 3_600_000;
/** A slot has no age in time. */
const manyTransactions = 1_000_000;
/** A tenth of what is left until the server refuses to write (PostgreSQL manual, "Preventing Transaction ID Wraparound Failures"). */
const dangerous = 200_000_000;

/** Nothing keeps VACUUM from removing dead rows for long. */
export const checkXminHorizon: DoctorCheck = {
  name: 'xmin-horizon',
  needs: 'database',
  async run({ openDatabase }) {
    const db = await openDatabase();
    const holders = await findHorizonHolders(db);
    const old = holders.filter(
      ({ ageMs, transactions }) => (ageMs ?? 0) >= longMs || transactions >= manyTransactions,
    );
    const [oldest] = old;
    if (oldest === undefined) return await limitFinding(db, 'nothing keeps VACUUM from removing dead rows');
    const more = old.length > 1 ? `, and ${old.length - 1} more` : '';
    return {
      status: oldest.transactions >= dangerous ? 'fail' : 'warn',
      text: `dead rows stay because of ${describe(oldest)}${more}`,
      fix: fixOf(oldest),
    };
  },
};

function describe({ kind, name, owner, ageMs, transactions }: HorizonHolder): string {
  const what = {
    transaction: `the transaction of session ${name} (${owner})`,
    prepared: `the prepared transaction "${name}" (${owner})`,
    slot: `the replication slot "${name}" (${owner})`,
    replica: `the replica of session ${name} (${owner}) with hot_standby_feedback`,
  }[kind];
  const since = ageMs === null ? '' : `, open for ${formatDuration(ageMs)}`;
  return `${what}${since}, ${countOf(transactions, 'transaction')} ago`;
}

function fixOf({ kind, name, database }: HorizonHolder): string {
  const quoted = `'${name.replaceAll("'", "''")}'`;
  return {
    transaction: `tend connections terminate ${name}`,
    prepared: `In database "${database}": commit prepared ${quoted}, or rollback prepared ${quoted}`,
    slot: `Start what reads it, or: select pg_drop_replication_slot(${quoted})`,
    replica: 'On the replica: end its long query, or set hot_standby_feedback = off',
  }[kind];
}
