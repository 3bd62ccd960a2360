import { TendError } from '../../errors.ts';

/** All attachments of one message together: composed messages are kept in memory and in the database. */
const maxBytes = 50 * 1024 * 1024;

/** What the attachments of one message may still take. */
export interface AttachmentAllowance {
  /** @throws TendError MAIL_MESSAGE_INVALID (permanent) where `bytes` more are too many; `name` says at which. */
  take(bytes: number, name: string): void;
}

/** The allowance of one message, none of it used. */
export function attachmentAllowance(): AttachmentAllowance {
  let left = maxBytes;
  return {
    take(bytes, name) {
      left -= bytes;
      if (left >= 0) return;
      const limit = `${maxBytes / 1024 / 1024} MiB`;
      throw new TendError(
        'MAIL_MESSAGE_INVALID',
        `The attachments are larger than ${limit} together (at ${JSON.stringify(name)}).`,
        { isPermanent: true },
      );
    },
  };
}
