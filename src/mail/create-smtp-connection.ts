import { readFile } from 'node:fs/promises';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { TendError } from '../errors.ts';
import type { SmtpTransport } from './mail-transport.ts';

export type SmtpConnection = InstanceType<typeof SMTPConnection>;
export type SmtpSendInfo = SMTPConnection.SentMessageInfo;

/**
 * A connection that is not open yet, as the transport's security demands: TLS or nothing off this host, certificates
 * checked, and every wait inside the transport's time-out.
 *
 * @throws TendError MAIL_NOT_CONFIGURED where `tls_ca_file` cannot be read.
 */
export async function createSmtpConnection(transport: SmtpTransport): Promise<SmtpConnection> {
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  const { security, caFile, timeoutMs } = transport;
  const ca = caFile === undefined ? undefined : await readAuthority(caFile);
  const setUpMs = Math.min(timeoutMs, 30_000);
  return new Connection({
    host: transport.host,
    port: transport.port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    opportunisticTLS: security === 'loopback',
    ignoreTLS: security === 'off',
    connectionTimeout: setUpMs,
    greetingTimeout: setUpMs,
    socketTimeout: timeoutMs,
    socketCloseTimeout: 0,
    tls: {
      rejectUnauthorized: security !== 'loopback' || ca !== undefined,
      ...(ca === undefined ? {} : { ca }),
    },
  });
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
