import type pg from 'pg';
import { connectClient } from '../connection/connect-client.ts';
import type { ConnectionSettings } from '../connection/settings.ts';
import { toError } from '../errors.ts';
import { translateConnectError } from './translate-database-error.ts';

export interface SessionOptions {
  connection: ConnectionSettings;
  /** Shown in pg_stat_activity: `tend <command> <host>:<pid>`. */
  applicationName: string;
  /** Server-side limit of one statement; 0 is none. */
  statementTimeoutMs: number;
}

/**
 * Opens a session by libpq's rules on hosts, TLS and target_session_attrs.
 *
 * Time-outs go along as start-up parameters. pgbouncer refuses those it cannot track; then the session is opened
 * without them, and the client's own limit on each query (which also notices a half-open TCP connection) stands alone.
 *
 * @throws TendError DATABASE_UNREACHABLE, DATABASE_PERMISSION, DATABASE_BUSY.
 */
export async function openSession(options: SessionOptions): Promise<pg.Client> {
  const { connection: settings, statementTimeoutMs } = options;
  const common: pg.ClientConfig = {
    application_name: options.applicationName.slice(0, 63),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: await typeParsers(),
    ...(statementTimeoutMs > 0 && { query_timeout: statementTimeoutMs + 5000 }),
  };
  const limits: pg.ClientConfig = {
    statement_timeout: statementTimeoutMs,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 60_000,
  };
  try {
    return await connectClient({ settings, config: { ...common, ...limits } }).catch((error: unknown) => {
      if (!isUnsupportedStartupParameter(error)) throw error;
      return connectClient({ settings, config: common });
    });
  } catch (error) {
    throw translateConnectError(toError(error), settings);
  }
}

/** `bigint` (task ids, counts) as a JavaScript number: ids stay far below 2^53. */
async function typeParsers(): Promise<pg.CustomTypesConfig> {
  const { default: postgres } = await import('pg');
  return {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === 20 && format !== 'binary' ? Number : postgres.types.getTypeParser(oid, format),
  };
}

function isUnsupportedStartupParameter(error: unknown): boolean {
  return error instanceof Error && /unsupported startup parameter/i.test(error.message);
}
