import { MissingPasswordError } from '../connection/client-configs.ts';
import { type ConnectionSettings, describeConnection } from '../connection/settings.ts';
import { type ErrorCode, TendError, type TendErrorOptions } from '../errors.ts';

/** SQLSTATE of an error of PostgreSQL, or the `code` of a system error such as ECONNREFUSED. */
export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** SQLSTATEs and system codes that mean the session is gone, not that the statement was wrong. */
const lostCodes = new Set([
  ...['57P01', '57P02', '57P03', '57P05', '08000', '08001', '08003', '08004', '08006', '25P03'],
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ENOENT',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENOTFOUND',
  ],
  ...['EAI_AGAIN', 'EADDRNOTAVAIL', 'ECONNABORTED'],
]);

/** Whether the connection, not the statement, failed: the same may be tried on a new session. */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof TendError) {
    return ['DATABASE_UNREACHABLE', 'DATABASE_BUSY', 'DATABASE_CONNECTION_LOST'].includes(error.code);
  }
  const code = errorCodeOf(error);
  if (code !== undefined) return lostCodes.has(code) || isSentAwayByPooler(error);
  return (
    error instanceof Error &&
    /connection terminated|query read timeout|client was closed|connection error|not queryable/i.test(
      error.message,
    )
  );
}

/**
 * pgbouncer says everything with 08P01: its server session is gone, the wait for one was too long. FATAL ends our
 * connection to it. PostgreSQL uses the code for a message it does not understand, and goes on after that.
 */
function isSentAwayByPooler(error: unknown): boolean {
  return (
    errorCodeOf(error) === '08P01' &&
    error instanceof Error &&
    'severity' in error &&
    error.severity === 'FATAL'
  );
}

/** An error met while opening a session, as the user sees it: 69 unreachable, 77 refused, 75 too many sessions. */
export function translateConnectError(error: Error, connection: ConnectionSettings): TendError {
  if (error instanceof TendError) return error;
  if (error instanceof AggregateError && error.errors.some((one) => errorCodeOf(one)?.startsWith('28'))) {
    const refused = error.errors.find((one) => errorCodeOf(one)?.startsWith('28'));
    if (refused instanceof Error) return translateConnectError(refused, connection);
  }
  const place = describeConnection(connection);
  const code = errorCodeOf(error) ?? '';
  const fail = (name: ErrorCode, message: string, hint: string) =>
    new TendError(name, message, { hint, cause: error });
  if (code.startsWith('28') || error instanceof MissingPasswordError || /SASL|SCRAM/.test(error.message)) {
    return fail(
      'DATABASE_PERMISSION',
      `Database ${place} refused user "${connection.user}": ${error.message}`,
      `Check the password or pg_hba.conf; the settings come from ${connection.origin} (tend config --origin).`,
    );
  }
  if (code === '42501') {
    return fail(
      'DATABASE_PERMISSION',
      `Database ${place} refused user "${connection.user}": ${error.message}`,
      `Grant it: grant connect on database "${connection.database}" to "${connection.user}"`,
    );
  }
  if (code === '3D000') {
    return fail(
      'DATABASE_UNREACHABLE',
      `Database ${place} does not exist.`,
      `Check the name; the settings come from ${connection.origin} (tend config --origin).`,
    );
  }
  // The last is pgbouncer's max_client_conn.
  if (code === '53300' || code === '57P03' || error.message.startsWith('no more connections allowed')) {
    return fail(
      'DATABASE_BUSY',
      `Database ${place} takes no session now: ${error.message}`,
      code === '53300'
        ? 'Try again soon. Some sessions are kept for superusers: one of them, named in TEND_DATABASE_URL, sees who holds the others with: tend connections --stale 1s'
        : 'Try again soon.',
    );
  }
  return fail(
    'DATABASE_UNREACHABLE',
    `Database ${place} cannot be reached: ${error.message}`,
    `Is the server running? The settings come from ${connection.origin} (tend config --origin).`,
  );
}

/**
 * An error of a statement as the user sees it, or undefined when it is not from the database. The server's message is
 * kept; its `detail` is not, since it quotes row contents.
 */
export function translateDatabaseError(error: unknown): TendError | undefined {
  if (error instanceof TendError) return error;
  if (!(error instanceof Error)) return undefined;
  const code = errorCodeOf(error);
  const options: TendErrorOptions = { cause: error };
  if (isConnectionLoss(error) && !isFileError(error)) {
    return new TendError('DATABASE_CONNECTION_LOST', `The database connection was lost: ${error.message}`, {
      ...options,
      hint: 'Nothing half-done was kept; run the command again.',
    });
  }
  if (code === undefined || !('severity' in error)) return undefined;
  if (code === '42501') {
    const isAboutTend = / for (schema tend|table|view|sequence|function)\b/.test(error.message);
    return new TendError('DATABASE_PERMISSION', `Permission denied: ${error.message}`, {
      ...options,
      ...(isAboutTend && { hint: asOwner }),
    });
  }
  if (code === '42704' && error.message.startsWith('role ')) {
    return new TendError('DATABASE_ERROR', `The database has no such role: ${error.message}`, {
      ...options,
      hint: 'Check the name, or make the role first: create role NAME login',
    });
  }
  if (code === '3F000' || code === '42P01') {
    return new TendError('SCHEMA_MISSING', `The database is not prepared for tend: ${error.message}`, {
      ...options,
      hint: 'tend migrations up',
    });
  }
  if (code === '55006') {
    return new TendError('DATABASE_BUSY', `The database is in use: ${error.message}`, {
      ...options,
      hint: 'Connect directly, not through a pooler: it keeps sessions of its own.',
    });
  }
  if (code === '57014' || code === '55P03') {
    return new TendError('DATABASE_BUSY', `The database took too long: ${error.message}`, options);
  }
  return new TendError(
    'DATABASE_ERROR',
    `The database refused a statement: ${error.message} (${code})`,
    options,
  );
}

const asOwner =
  'Connect as the role that owns schema tend, the one that ran "tend migrations up" first; the settings come from where tend config --origin says. An application needs none of these rights: tend migrations up --grant-to ROLE';

function isFileError(error: Error): boolean {
  return 'path' in error && !('address' in error);
}
