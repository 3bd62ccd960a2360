import { isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TendError } from '../../errors.ts';

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
  /** LMTP (RFC 2033) is SMTP to a mailbox server, which answers for each recipient by itself. */
  isLmtp?: boolean;
  /** For LMTP over a unix socket its path, and then there is no port. */
  host: string;
  port: number;
  isSocket?: boolean;
  security: MailSecurity;
  /** Where there is a `tokenCommand`, the password is empty. */
  credentials: { user: string; password: string } | undefined;
  /** Prints an OAuth2 access token. */
  tokenCommand?: readonly string[] | undefined;
  /** PEM file of authorities to trust instead of the system's. */
  caFile: string | undefined;
  /** SHA-256 of the one certificate that is trusted, as lower-case hexadecimal digits. */
  fingerprint?: string | undefined;
  /** For one message from the connection to the server's last reply. */
  timeoutMs: number;
}

export interface EmlTransport {
  type: 'eml';
  directory: string;
}

/** A program that takes messages as sendmail(8) does. */
export interface ProgramTransport {
  type: 'program';
  program: string;
  timeoutMs: number;
}

/** Where messages go. */
export type MailTransport = SmtpTransport | EmlTransport | ProgramTransport;

export interface ParseMailUrlOptions {
  /** `[mail] url` with references such as `env:SMTP_URL` already read. */
  url: string;
  /** What `eml:relative/directory` and `tls_ca_file` are relative to. */
  baseDirectory: string;
  caFile: string | undefined;
  fingerprint?: string | undefined;
  tokenCommand?: readonly string[] | undefined;
  timeoutMs: number;
  /** The setting, for messages; `[mail] url` unless given. */
  setting?: string;
}

/**
 * Reads `smtp://user:password@host:587`, `smtps://…`, `lmtp://host:24`, `lmtp:///socket`, `sendmail:/program`,
 * `eml:///directory` or `eml:relative/directory`; user and password percent-encoded. The message of an error never repeats the URL, which may hold a password.
 *
 * @throws TendError MAIL_NOT_CONFIGURED.
 */
export function parseMailUrl(options: ParseMailUrlOptions): MailTransport {
  try {
    return readUrl(options);
  } catch (error) {
    throw error instanceof UrlProblem ? invalid(options.setting ?? '[mail] url', error) : error;
  }
}

function readUrl(options: ParseMailUrlOptions): MailTransport {
  if (/^eml:/i.test(options.url)) return { type: 'eml', directory: emlDirectory(options) };
  if (/^sendmail:/i.test(options.url)) return sendmailProgram(options);
  if (/^lmtp:\/\/\//i.test(options.url)) return lmtpSocket(options);
  const url = parseUrl(options.url);
  const scheme = url.protocol.toLowerCase();
  if (scheme !== 'smtp:' && scheme !== 'smtps:' && scheme !== 'lmtp:') {
    throw problem(`"${url.protocol}" is not known`);
  }
  if (url.hostname === '') throw problem('the host is missing');
  if (!['', '/'].includes(url.pathname) || url.hash !== '')
    throw problem('something follows the host and port');
  const host = decode(url.hostname).replace(/^\[|\]$/g, '');
  const security = securityOf({ url, host, isTls: scheme === 'smtps:' });
  const { baseDirectory, caFile, fingerprint, tokenCommand, timeoutMs } = options;
  const isLmtp = scheme === 'lmtp:';
  const credentials = credentialsOf(url, tokenCommand !== undefined);
  if (security === 'off' && credentials !== undefined) {
    throw problem('a password would be sent in clear text (tls=off)');
  }
  const defaultPort = isLmtp ? 24 : { tls: 465, starttls: 587, loopback: 25, off: 25 }[security];
  return {
    type: 'smtp',
    ...(isLmtp ? { isLmtp } : {}),
    host,
    port: url.port === '' ? defaultPort : Number(url.port),
    security,
    credentials,
    ...(tokenCommand === undefined ? {} : { tokenCommand }),
    caFile: caFile === undefined ? undefined : resolve(baseDirectory, caFile),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    timeoutMs,
  };
}

function lmtpSocket({ url, timeoutMs }: ParseMailUrlOptions): SmtpTransport {
  const host = decode(url.slice('lmtp://'.length));
  const base = { type: 'smtp', isLmtp: true, isSocket: true, host, port: 0, security: 'off' } as const;
  return { ...base, credentials: undefined, caFile: undefined, timeoutMs };
}

function sendmailProgram({ url, baseDirectory, timeoutMs }: ParseMailUrlOptions): ProgramTransport {
  const path = decode(url.slice('sendmail:'.length).replace(/^\/\/(?=\/)/, ''));
  const program = path === '' ? '/usr/sbin/sendmail' : resolve(baseDirectory, path);
  return { type: 'program', program, timeoutMs };
}

/** `host:port`, for messages. */
export function describeTransport(transport: MailTransport): string {
  if (transport.type === 'eml') return transport.directory;
  if (transport.type === 'program') return transport.program;
  const { host, port, isSocket = false } = transport;
  if (isSocket) return host;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function securityOf({ url, host, isTls }: { url: URL; host: string; isTls: boolean }): MailSecurity {
  for (const key of url.searchParams.keys())
    if (key !== 'tls') throw problem(`the parameter "${key}" is not known`);
  const tls = url.searchParams.get('tls');
  if (tls !== null && tls !== 'off') throw problem('"tls" can only be "off"');
  if (isTls && tls === 'off') throw problem('smtps:// and tls=off contradict each other');
  if (isTls) return 'tls';
  if (tls === 'off') return 'off';
  return isLoopback(host) ? 'loopback' : 'starttls';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function credentialsOf(url: URL, isTokenUsed: boolean): SmtpTransport['credentials'] {
  if (isTokenUsed) {
    if (url.username === '') throw problem('token_command is set, and the user is missing');
    if (url.password !== '') throw problem('there is a password beside token_command');
    return { user: decode(url.username), password: '' };
  }
  if (url.username === '' && url.password === '') return undefined;
  if (url.username === '' || url.password === '') throw problem('user and password belong together');
  return { user: decode(url.username), password: decode(url.password) };
}

function emlDirectory({ url, baseDirectory }: ParseMailUrlOptions): string {
  const rest = url.slice('eml:'.length);
  if (rest === '' || rest === '//') throw problem('the directory is missing');
  if (!rest.startsWith('//')) return resolve(baseDirectory, decode(rest));
  try {
    return fileURLToPath(`file:${rest}`);
  } catch (error) {
    throw problem('a directory on this host was expected, as in eml:///var/spool/mail-out', error);
  }
}

function parseUrl(text: string): URL {
  // WHATWG URL reads host and port only for schemes it calls special; a non-special one keeps them unparsed when the
  // authority is odd, so what it could not read is refused rather than guessed.
  if (!/^[a-z]+:\/\//i.test(text)) throw problem('it does not begin with smtp://, smtps:// or eml:');
  try {
    return new URL(text);
  } catch {
    throw problem('it is not a URL (a "%", "/", "#" or "@" in the password is written %25, %2F, %23, %40)');
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw problem('it has a "%" that is not followed by two hexadecimal digits');
  }
}

class UrlProblem extends Error {}

function problem(reason: string, cause?: unknown): UrlProblem {
  return new UrlProblem(reason, { cause });
}

function invalid(setting: string, { message, cause }: UrlProblem): TendError {
  return new TendError('MAIL_NOT_CONFIGURED', `The setting ${setting} cannot be used: ${message}.`, {
    hint: 'Such as: smtp://user:password@mail.example.org:587, smtps://…, or eml:directory to write files instead.',
    cause,
  });
}
