import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type XOAuth2 from 'nodemailer/lib/xoauth2';
import { TendError } from '../../errors.ts';
import type { SmtpTransport } from '../servers/mail-transport.ts';
import { createSmtpConnection, type SmtpConnection } from './create-smtp-connection.ts';
import { SmtpDialogue } from './smtp-dialogue.ts';
import { insecure } from './smtp-errors.ts';
import { readOffer, type SmtpOffer } from './smtp-offer.ts';

/** A connection that has greeted, is as safe as the transport demands, and has said who we are. */
export interface OpenSmtpConnection {
  connection: SmtpConnection;
  /** What was said when it had been opened, and after that. */
  dialogue: SmtpDialogue;
  /** The server's reply to EHLO or LHLO. */
  offered: string;
  offer: SmtpOffer;
  /** Messages it has carried. */
  carried: number;
  /** False once it has failed or the server has closed it. */
  isUsable: boolean;
}

export interface OpenSmtpConnectionOptions {
  transport: SmtpTransport;
  signal: AbortSignal;
  /** An OAuth2 access token, where the transport has a `tokenCommand`. */
  fetchToken?: ((isRefused: boolean) => Promise<string>) | undefined;
}

/**
 * Connects, upgrades to TLS and logs in.
 *
 * @throws what nodemailer, the socket or the signal threw; TendError MAIL_SERVER_INSECURE, MAIL_NOT_CONFIGURED.
 */
export async function openSmtpConnection(options: OpenSmtpConnectionOptions): Promise<OpenSmtpConnection> {
  const { transport, signal } = options;
  const connection = await createSmtpConnection(transport);
  let open: OpenSmtpConnection | undefined;
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const onStop = () => failed.reject(signal.reason);
  // Errors come while it idles in a pool, too: there they only mean that it cannot be used again.
  const onEnd = (error: Error) => {
    failed.reject(error);
    if (open === undefined) return;
    open.isUsable = false;
    open.dialogue.fail(error);
  };
  connection.on('error', onEnd);
  connection.on('end', () => {
    if (open !== undefined) onEnd(new Error('the connection was closed'));
  });
  signal.addEventListener('abort', onStop);
  if (signal.aborted) onStop();
  try {
    await Promise.race([failed.promise, settle(options, connection)]);
    const offered = String(connection.lastServerResponse);
    await Promise.race([failed.promise, logIn(options, connection)]);
    const { _socket: socket } = connection;
    if (!(socket instanceof Socket)) throw new Error('the server closed the connection');
    const dialogue = new SmtpDialogue(socket);
    open = { connection, dialogue, offered, offer: readOffer(offered), carried: 0, isUsable: true };
    return open;
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', onStop);
  }
}

async function settle({ transport }: OpenSmtpConnectionOptions, connection: SmtpConnection): Promise<void> {
  await promised<void>((done) => connection.connect((error) => done(error ?? null)));
  const { fingerprint } = transport;
  if (fingerprint === undefined) return;
  const shown = peerFingerprint(connection);
  if (shown === fingerprint) return;
  throw insecure(
    transport,
    shown === undefined
      ? 'tls_fingerprint is set, and the connection has no certificate'
      : `its certificate is another one than tls_fingerprint says: ${shown}`,
    { hint: 'Ask its operator for the fingerprint, and write that: [mail] tls_fingerprint in tend.toml.' },
  );
}

async function logIn(
  { transport, fetchToken }: OpenSmtpConnectionOptions,
  connection: SmtpConnection,
): Promise<void> {
  const { credentials } = transport;
  if (credentials === undefined) return;
  if (!connection.allowsAuth) {
    throw insecure(transport, 'it does not offer AUTH, and a user and password are configured', {
      hint: 'Take them out of [mail] url in tend.toml, or name the port that asks for them: smtp://USER:PASSWORD@HOST:587',
    });
  }
  const { user, password: pass } = credentials;
  if (transport.tokenCommand === undefined) {
    await promised((done) => connection.login({ user, pass, credentials: { user, pass } }, done));
    return;
  }
  if (fetchToken === undefined) throw new TendError('BUG', 'Nobody fetches the token of the mail server.');
  // Of its token generator nodemailer calls these two methods.
  const oauth2 = tokenSource(user, fetchToken) as unknown as XOAuth2;
  await promised((done) => connection.login({ user, oauth2 }, done));
}

/** SHA-256 of the certificate the server has shown, as lower-case hexadecimal digits. */
function peerFingerprint({ _socket: socket }: SmtpConnection): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  return socket.getPeerCertificate().fingerprint256?.replaceAll(':', '').toLowerCase();
}

/** What nodemailer asks for a token; it asks a second time where the server refused the first. */
function tokenSource(user: string, fetchToken: (isRefused: boolean) => Promise<string>) {
  return {
    getToken(isRefused: boolean, done: (error: Error | null, token?: string) => void) {
      fetchToken(isRefused).then(
        (token) => done(null, token),
        (error: Error) => done(error),
      );
    },
    /** SASL XOAUTH2, as Google and Microsoft describe it. */
    buildXOAuth2Token: (token: string) =>
      Buffer.from(`user=${user}\u0001auth=Bearer ${token}\u0001\u0001`).toString('base64'),
  };
}

/** A callback of nodemailer as a promise. */
function promised<T>(start: (done: (error: Error | null, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    // They give a value whenever they give no error.
    start((error, value) => (error ? reject(error) : resolve(value as T)));
  });
}
