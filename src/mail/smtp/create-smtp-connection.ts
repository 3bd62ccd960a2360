import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { TendError } from '../../errors.ts';
import type { SmtpTransport } from '../servers/mail-transport.ts';

export type SmtpConnection = InstanceType<typeof SMTPConnection>;

/**
 * A connection that is not open yet, as the transport's security demands: TLS or nothing off this host, certificates
 * checked, and every wait inside the transport's time-out.
 *
 * @throws TendError MAIL_NOT_CONFIGURED where `tls_ca_file` cannot be read.
 */
export async function createSmtpConnection(transport: SmtpTransport): Promise<SmtpConnection> {
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  const { security, caFile, fingerprint, timeoutMs } = transport;
  const ca = caFile === undefined ? undefined : await readAuthority(caFile);
  const setUpMs = Math.min(timeoutMs, 30_000);
  return new Connection({
    ...(transport.isSocket === true
      ? { connection: await connectSocket(transport.host) }
      : { host: transport.host, port: transport.port }),
    lmtp: transport.isLmtp === true,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    opportunisticTLS: security === 'loopback',
    ignoreTLS: security === 'off',
    connectionTimeout: setUpMs,
    greetingTimeout: setUpMs,
    socketTimeout: timeoutMs,
    socketCloseTimeout: 0,
    tls: {
      // A pinned certificate needs no authority: `openSmtpConnection` compares it before anything is said.
      rejectUnauthorized: (security !== 'loopback' || ca !== undefined) && fingerprint === undefined,
      ...(ca === undefined ? {} : { ca }),
    },
  });
}

async function connectSocket(path: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  return socket;
}

async function readAuthority(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new TendError('MAIL_NOT_CONFIGURED', `The file "${file}" of [mail] tls_ca_file cannot be read.`, {
      cause,
    });
  }
}
