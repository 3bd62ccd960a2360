import { isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TendError } from '../errors.ts';

/** How the connection is protected. `starttls` and `tls` always check the certificate. */
export type MailSecurity =
  /** TLS from the first byte (smtps://). */
  | 'tls'
  /** STARTTLS or nothing is sent: what smtp:// means for every server that is not on this host. */
  | 'starttls'
  /** On this host: TLS where offered, and a certificate of its own making will do. */
  | 'loopback'
  /** `?tls=off`, never with a password: for a relay on a private network. */
  | 'off';

export interface SmtpTransport {
  type: 'smtp';
  host: string;
  port: number;
  security: MailSecurity;
  credentials: { user: string; password: string } | undefined;
  /** PEM file of authorities to trust instead of the system's. */
  caFile: string | undefined;
  /** For one message from the connection to the server's last reply. */
  timeoutMs: number;
}

export interface EmlTransport {
  type: 'eml';
  directory: string;
}

/** Where messages go. */
export type MailTransport = SmtpTransport | EmlTransport;

export interface ParseMailUrlOptions {
  /** `[mail] url` with references such as `env:SMTP_URL` already read. */
  url: string;
  /** What `eml:relative/directory` and `tls_ca_file` are relative to. */
  baseDirectory: string;
  caFile: string | undefined;
  timeoutMs: number;
}

/**
 * Reads `smtp://user:password@host:587`, `smtps://…`, `eml:///directory` or `eml:relative/directory`; user and
 * password percent-encoded. The message of an error never repeats the URL, which may hold a password.
 *
 * @throws TendError MAIL_NOT_CONFIGURED.
 */
export function parseMailUrl(options: ParseMailUrlOptions): MailTransport {
  if (/^eml:/i.test(options.url)) return { type: 'eml', directory: emlDirectory(options) };
  const url = parseUrl(options.url);
  const scheme = url.protocol.toLowerCase();
  if (scheme !== 'smtp:' && scheme !== 'smtps:') {
    throw invalid(`"${url.protocol}" is not known`);
  }
  if (url.hostname === '') throw invalid('the host is missing');
  if (!['', '/'].includes(url.pathname) || url.hash !== '')
    throw invalid('something follows the host and port');
  const host = decode(url.hostname).replace(/^\[|\]$/g, '');
  const security = securityOf({ url, host, isTls: scheme === 'smtps:' });
  const credentials = credentialsOf(url);
  if (security === 'off' && credentials !== undefined) {
    throw invalid('a password would be sent in clear text (tls=off)');
  }
  const defaultPort = { tls: 465, starttls: 587, loopback: 25, off: 25 }[security];
  const { baseDirectory, caFile, timeoutMs } = options;
  return {
    type: 'smtp',
    host,
    port: url.port === '' ? defaultPort : Number(url.port),
    security,
    credentials,
    caFile: caFile === undefined ? undefined : resolve(baseDirectory, caFile),
    timeoutMs,
  };
}

/** `host:port`, for messages. */
export function describeTransport(transport: MailTransport): string {
  if (transport.type === 'eml') return transport.directory;
  const { host, port } = transport;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function securityOf({ url, host, isTls }: { url: URL; host: string; isTls: boolean }): MailSecurity {
  for (const key of url.searchParams.keys())
    if (key !== 'tls') throw invalid(`the parameter "${key}" is not known`);
  const tls = url.searchParams.get('tls');
  if (tls !== null && tls !== 'off') throw invalid('"tls" can only be "off"');
  if (isTls && tls === 'off') throw invalid('smtps:// and tls=off contradict each other');
  if (isTls) return 'tls';
  if (tls === 'off') return 'off';
  return isLoopback(host) ? 'loopback' : 'starttls';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function credentialsOf(url: URL): SmtpTransport['credentials'] {
  if (url.username === '' && url.password === '') return undefined;
  if (url.username === '' || url.password === '') throw invalid('user and password belong together');
  return { user: decode(url.username), password: decode(url.password) };
}

function emlDirectory({ url, baseDirectory }: ParseMailUrlOptions): string {
  const rest = url.slice('eml:'.length);
  if (rest === '' || rest === '//') throw invalid('the directory is missing');
  if (!rest.startsWith('//')) return resolve(baseDirectory, decode(rest));
  try {
    return fileURLToPath(`file:${rest}`);
  } catch (error) {
    throw invalid('a directory on this host was expected, as in eml:///var/spool/mail-out', error);
  }
}

function parseUrl(text: string): URL {
  // WHATWG URL reads host and port only for schemes it calls special; a non-special one keeps them unparsed when the
  // authority is odd, so what it could not read is refused rather than guessed.
  if (!/^[a-z]+:\/\//i.test(text)) throw invalid('it does not begin with smtp://, smtps:// or eml:');
  try {
    return new URL(text);
  } catch {
    throw invalid('it is not a URL (a "%", "/", "#" or "@" in the password is written %25, %2F, %23, %40)');
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('it has a "%" that is not followed by two hexadecimal digits');
  }
}

function invalid(reason: string, cause?: unknown): TendError {
  return new TendError('MAIL_NOT_CONFIGURED', `The setting [mail] url cannot be used: ${reason}.`, {
    hint: 'Such as: smtp://user:password@mail.example.org:587, smtps://…, or eml:directory to write files instead.',
    cause,
  });
}
