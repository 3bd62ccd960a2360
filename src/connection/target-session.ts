import type pg from 'pg';
import type { ServerAddress, TargetSessionAttrs } from './settings.ts';

/** A server answered, but is not of the kind that `target_session_attrs` asks for. */
export class TargetMismatchError extends Error {
  override readonly name = 'TargetMismatchError';

  constructor({ host, port }: ServerAddress, target: TargetSessionAttrs) {
    super(`The server at ${host}:${port} is not ${target}.`);
  }
}

/** What to look for, in order: `prefer-standby` takes any server when no standby is there. */
export function targetPasses(target: TargetSessionAttrs): TargetSessionAttrs[] {
  return target === 'prefer-standby' ? ['standby', 'any'] : [target];
}

/** Whether the session is of the wanted kind; costs a round trip only where one is wanted. */
export async function fitsTarget(client: pg.Client, target: TargetSessionAttrs): Promise<boolean> {
  if (target === 'any') return true;
  const { rows } = await client.query<{ is_standby: boolean; is_read_only: boolean }>(
    `select pg_catalog.pg_is_in_recovery() as is_standby,
            pg_catalog.current_setting('default_transaction_read_only') = 'on' as is_read_only`,
  );
  const isStandby = rows[0]?.is_standby ?? false;
  const isReadOnly = isStandby || (rows[0]?.is_read_only ?? false);
  if (target === 'read-write') return !isReadOnly;
  if (target === 'read-only') return isReadOnly;
  return isStandby === (target === 'standby');
}
