import { type ErrorCode, TendError } from '../../errors.ts';

/** What sysexits(3) calls otherwise than our own table. */
const otherwise: Partial<Record<ErrorCode, number>> = {
  /** EX_NOUSER: the addressee is unknown. */
  MAIL_RECIPIENTS_REFUSED: 67,
  /** EX_IOERR. */
  INPUT_INVALID: 74,
  /** EX_UNAVAILABLE: not EX_TEMPFAIL, after which the caller would send it again, perhaps a second time. */
  MAIL_OUTCOME_UNKNOWN: 69,
};

/**
 * The exit code of sendmail(8) for ours. What was our own failure to reach a database says "try again" (75) and not that
 * the message cannot be sent; below 64 there is no code but 0.
 */
export function sysexit({ code, error }: { code: number; error: unknown }): number {
  if (error instanceof TendError && code === error.exitCode) {
    const other =
      otherwise[error.code] ?? (error.code.startsWith('DATABASE_') ? databaseCode(error) : undefined);
    if (other !== undefined) return other;
  }
  return code >= 1 && code < 64 ? 69 : code;
}

/** A copy that sends no mail, or a wrong setting, is not better in a minute. */
function databaseCode({ exitCode }: TendError): number {
  return exitCode === 78 ? 78 : 75;
}
