import { TendError } from '../../errors.ts';
import { maskAddressesIn } from '../addresses/mail-address.ts';
import { describeTransport, type SmtpTransport } from '../servers/mail-transport.ts';

/** The signal came before the message left; what it says itself wins. */
export function stopped(signal: AbortSignal): TendError {
  if (signal.reason instanceof TendError) return signal.reason;
  return new TendError('INTERRUPTED', 'Sending was stopped before the message left.', {
    cause: signal.reason,
  });
}

/** The server is there and cannot now: `what` completes the sentence. */
export function temporary(transport: SmtpTransport, what: string, reply: string): TendError {
  return new TendError(
    'MAIL_SERVER_TEMPORARY',
    `The mail server ${describeTransport(transport)} ${what}: ${maskAddressesIn(reply)}`,
  );
}

/** Nobody answered, or not in time. */
export function unreachable(transport: SmtpTransport, reason: string, cause?: unknown): TendError {
  return new TendError(
    'MAIL_SERVER_UNREACHABLE',
    `The mail server ${describeTransport(transport)} cannot be reached: ${reason}`,
    { cause },
  );
}

/** The server does not want to work for us: our name, password or way of connecting. */
export function serverRefused(transport: SmtpTransport, reply: string): TendError {
  return new TendError(
    'MAIL_SERVER_REFUSED',
    `The mail server ${describeTransport(transport)} refused us: ${reply}`,
    {
      hint: 'Check the user and password in tend.toml: [mail] url.',
    },
  );
}

/** The server offers no connection that may be used for mail and passwords; `hint` is what gives it one. */
export function insecure(
  transport: SmtpTransport,
  reason: string,
  options: { hint: string; cause?: unknown },
): TendError {
  return new TendError(
    'MAIL_SERVER_INSECURE',
    `The mail server ${describeTransport(transport)} was not used: ${reason}`,
    options,
  );
}

/** What to do about a certificate that is not trusted, by OpenSSL's name for the reason. */
export function certificateHint(transport: SmtpTransport, code: string): string {
  if (code !== 'CERT_HAS_EXPIRED')
    return 'Where its authority is your own, name its certificate: [mail] tls_ca_file = "…".';
  const starttls = transport.security === 'tls' ? '' : ' -starttls smtp';
  const command = `openssl s_client${starttls} -connect ${describeTransport(transport)} </dev/null | openssl x509 -noout -enddate`;
  return `Its operator renews it; until when it holds: ${command}`;
}
