import { TendError, toError } from '../errors.ts';

/**
 * Says what went wrong on the way to `place` or back. All of it is tried again: names, routes and servers come back, and
 * an expired certificate is renewed.
 */
export function networkError(place: string, thrown: unknown): TendError {
  const error = toError(thrown);
  const code = 'code' in error ? String(error.code) : '';
  if (isCertificateCode(code)) {
    return new TendError(
      'HTTP_CERTIFICATE_INVALID',
      `The certificate of "${place}" is not trusted: ${error.message} (${code}).`,
      {
        cause: error,
        hint: 'Where its authority is your own, name its certificate: [http] tls_ca_file = "…".',
      },
    );
  }
  return new TendError('HTTP_UNREACHABLE', `"${place}" gave no answer: ${reasonOf(code, error)}.`, {
    cause: error,
  });
}

const reasons: Record<string, string> = {
  ENOTFOUND: 'its name is not known (ENOTFOUND)',
  EAI_AGAIN: 'its name could not be looked up (EAI_AGAIN)',
  ECONNREFUSED: 'nobody listens there (ECONNREFUSED)',
  ECONNRESET: 'the connection broke before the answer was complete (ECONNRESET)',
  EPIPE: 'the connection broke before the request was sent (EPIPE)',
};

function reasonOf(code: string, error: Error): string {
  const known = reasons[code];
  if (known !== undefined) return known;
  if (code.startsWith('HPE_')) return `what came back is not HTTP (${code})`;
  return code === '' ? error.message : `${error.message.trim().split('\n')[0] ?? ''} (${code})`;
}

/**
 * OpenSSL's verification results as Node names them, and Node's own for a certificate of another host. ERR_SSL_… is the
 * other side refusing ours.
 */
function isCertificateCode(code: string): boolean {
  return /^(?!ERR_SSL).*CERT|^(UNABLE_TO_VERIFY_|INVALID_(CA|PURPOSE)|PATH_LENGTH_|HOSTNAME_)/.test(code);
}
