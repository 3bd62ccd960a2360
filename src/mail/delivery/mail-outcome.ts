import type { DeliveryRecipient } from '../../database/tables.ts';
import type { TendError } from '../../errors.ts';

/**
 * What a failure is about. `message` and `recipient` concern one row. `server` and `configuration` say nothing about the
 * message: whatever is sent next fails alike. `transaction` is the open question between them: a conversation that
 * broke in the middle of a message, by the server's fault or by the message's.
 */
export type FailureClass = 'message' | 'recipient' | 'transaction' | 'server' | 'configuration';

/**
 * What one attempt at delivering a message came to. The difference that matters is between the last two: only a
 * message whose end was never sent may be tried again without asking.
 */
export type MailOutcome =
  /** The server took the message for every recipient that is `accepted` here. */
  | { state: 'answered'; recipients: DeliveryRecipient[]; reply: string }
  /** Certainly nobody got it: refused, or the conversation broke before the end of the message was sent. */
  | {
      state: 'not-delivered';
      recipients: DeliveryRecipient[];
      error: TendError;
      failureClass: FailureClass;
    }
  /**
   * The end of the message was sent and no reply came (RFC 5321 §6.1, RFC 1047). `recipients` are those of whom the server
   * had said before what becomes of them: refused before the message, or answered for after it (LMTP).
   */
  | { state: 'unknown'; recipients: DeliveryRecipient[]; reason: string };
