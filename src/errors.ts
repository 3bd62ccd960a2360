import { type ExitCodeName, exitCodes } from './exit-codes.ts';

/**
 * The stable `code` of every error a user can meet, and the exit code it ends with. Codes are part of the JSON
 * contract: a code is never renamed, new ones may come.
 */
export const errorCodes = {
  USAGE: 'usage',
  CONFIG_NOT_FOUND: 'config',
  CONFIG_INVALID: 'config',
  CONNECTION_SETTINGS_INVALID: 'config',
  DATABASE_NOT_CONFIGURED: 'config',
  DATABASE_UNREACHABLE: 'unreachable',
  DATABASE_BUSY: 'busy',
  DATABASE_PERMISSION: 'permission',
  DATABASE_ERROR: 'failed',
  DATABASE_CONNECTION_LOST: 'unreachable',
  SCHEMA_MISSING: 'config',
  SCHEMA_TOO_OLD: 'config',
  SCHEMA_TOO_NEW: 'config',
  DATABASE_IS_A_COPY: 'config',
  MIGRATION_FAILED: 'failed',
  TASK_NOT_FOUND: 'missingInput',
  TASK_STATE_CONFLICT: 'failed',
  TASK_FAILED: 'failed',
  SCHEDULE_NOT_FOUND: 'missingInput',
  SESSION_NOT_FOUND: 'missingInput',
  SESSION_PROTECTED: 'permission',
  KIND_UNKNOWN: 'missingInput',
  MODULE_INVALID: 'config',
  PAYLOAD_INVALID: 'badData',
  LEASE_LOST: 'busy',
  MUTEX_BUSY: 'busy',
  TOOL_NOT_FOUND: 'config',
  TOOL_FAILED: 'failed',
  TOOL_TIMED_OUT: 'failed',
  TOOL_STOPPED: 'failed',
  INPUT_MISSING: 'missingInput',
  INPUT_INVALID: 'badData',
  OUTPUT_UNWRITABLE: 'cannotWrite',
  BACKUP_NOT_FOUND: 'missingInput',
  BACKUP_DAMAGED: 'badData',
  BACKUP_BUSY: 'busy',
  PRUNE_INCOMPLETE: 'someFailed',
  BACKUP_KEY_MISSING: 'config',
  BACKUP_KEY_WRONG: 'config',
  IDENTITY_INVALID: 'config',
  REMOTE_NOT_CONFIGURED: 'config',
  REMOTE_MISCONFIGURED: 'config',
  REMOTE_HOST_KEY: 'config',
  REMOTE_MISSING: 'config',
  REMOTE_UNREACHABLE: 'unreachable',
  REMOTE_PERMISSION: 'permission',
  REMOTE_FULL: 'cannotWrite',
  REMOTE_FAILED: 'failed',
  RESTORE_REFUSED: 'failed',
  RESTORE_UNFINISHED: 'busy',
  RESTORE_ROLLED_BACK: 'failed',
  RESTORE_STUCK: 'needsPerson',
  CHANGE_ROLLED_BACK: 'failed',
  CHANGE_STUCK: 'needsPerson',
  CONFIRMATION_MISSING: 'usage',
  CATALOG_INVALID: 'badData',
  CATALOGS_BUSY: 'busy',
  CATALOGS_UNDO_REFUSED: 'failed',
  MAIL_ADDRESS_INVALID: 'badData',
  MAIL_MESSAGE_INVALID: 'badData',
  MAIL_TEMPLATE_INVALID: 'badData',
  MAIL_EXPIRED: 'failed',
  MAIL_RECIPIENTS_REFUSED: 'failed',
  MAIL_SERVER_UNREACHABLE: 'unreachable',
  MAIL_SERVER_TEMPORARY: 'busy',
  MAIL_SERVER_REFUSED: 'permission',
  MAIL_SERVER_INSECURE: 'config',
  MAIL_OUTCOME_UNKNOWN: 'failed',
  MAIL_NOT_CONFIGURED: 'config',
  APP_NOT_CONFIGURED: 'config',
  APP_UNHEALTHY: 'unreachable',
  APP_RESTART_FAILED: 'failed',
  HTTP_NOT_ALLOWED: 'permission',
  HTTP_ADDRESS_REFUSED: 'permission',
  HTTP_REDIRECT_REFUSED: 'failed',
  HTTP_UNREACHABLE: 'unreachable',
  HTTP_CERTIFICATE_INVALID: 'unreachable',
  HTTP_TIMED_OUT: 'unreachable',
  HTTP_STATUS_TEMPORARY: 'busy',
  HTTP_STATUS_UNEXPECTED: 'failed',
  HTTP_RESPONSE_TOO_LARGE: 'failed',
  HUNG_UP: 'hungUp',
  INTERRUPTED: 'interrupted',
  TERMINATED: 'terminated',
  BUG: 'bug',
} as const satisfies Record<string, ExitCodeName>;

/** One of the stable error codes. */
export type ErrorCode = keyof typeof errorCodes;

export interface TendErrorOptions {
  /** The exact command or setting that helps; shown after the message. */
  hint?: string;
  cause?: unknown;
  /** True where trying the same again cannot succeed: a task that fails with it is not retried. */
  isPermanent?: boolean;
  /** Where the other side said when to come back: a task that fails with it is not retried before. */
  retryAfterMs?: number;
  /** More lines for the person who reads the log (a tool's last output); never part of the JSON contract. */
  details?: string;
}

/**
 * The one error that reaches a user. The message says what happened with the name quoted, then why; the hint is the
 * exact command. Foreign errors (pg, execa, nodemailer, fs) become one of these at their adapter, kept as `cause`.
 */
export class TendError extends Error {
  readonly code: ErrorCode;
  readonly exitCode: number;
  readonly hint: string | undefined;
  readonly isPermanent: boolean;
  readonly retryAfterMs: number | undefined;
  readonly details: string | undefined;

  constructor(code: ErrorCode, message: string, options: TendErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TendError';
    this.code = code;
    this.exitCode = exitCodes[errorCodes[code]].code;
    this.hint = options.hint;
    this.isPermanent = options.isPermanent ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
  }
}

/** Turns whatever was thrown into an `Error`: handlers may throw strings, null, or objects without a message. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(`Something that is not an Error was thrown: ${describe(thrown)}`, { cause: thrown });
}

function describe(thrown: unknown): string {
  try {
    if (typeof thrown === 'string') return thrown === '' ? '(an empty string)' : thrown;
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}
