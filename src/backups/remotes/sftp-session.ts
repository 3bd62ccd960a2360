import type { Client, ConnectConfig, SFTPWrapper } from 'ssh2';
import type { SftpRemote } from '../../config/backup-remotes.ts';
import type { SecretRegistry } from '../../redact.ts';
import type { RemotePlace } from './remote-errors.ts';
import { translateSftpError } from './sftp-errors.ts';
import { sshSettings } from './ssh-settings.ts';

export interface SftpSessionOptions {
  place: RemotePlace;
  settings: SftpRemote;
  /** Who logs in; undefined where neither the settings nor the system name anybody. */
  user: string | undefined;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  signal: AbortSignal;
}

/** A callback of ssh2. */
type Answer<T> = (error: Error | null | undefined, value: T) => void;

/** An SSH connection with its SFTP channel. */
export interface SftpSession extends AsyncDisposable {
  /** Asks the server for something. Rejects also when the connection is lost, which ssh2 does not always tell. */
  ask<T>(request: (sftp: SFTPWrapper, answer: Answer<T>) => void): Promise<T>;
}

/**
 * Connects, and makes sure that it is the right server before anything secret is sent.
 *
 * @throws TendError REMOTE_HOST_KEY, REMOTE_PERMISSION, REMOTE_UNREACHABLE, REMOTE_MISCONFIGURED.
 */
export async function openSftpSession(options: SftpSessionOptions): Promise<SftpSession> {
  const { place, signal } = options;
  signal.throwIfAborted();
  const { settings, refusal } = await sshSettings(options);
  const { default: ssh2 } = await import('ssh2');
  const client = new ssh2.Client();
  const waiting = new Set<(error: Error) => void>();
  let loss: Error | undefined;
  const lose = (error: Error) => {
    loss ??= error;
    for (const reject of waiting) reject(loss);
  };
  client.on('error', lose);
  client.on('close', () => lose(new Error('the connection was lost')));
  const stop = () => client.destroy();
  signal.addEventListener('abort', stop, { once: true });
  const end = () => {
    signal.removeEventListener('abort', stop);
    client.destroy();
  };
  try {
    const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
      waiting.add(reject);
      openChannel(client, settings).then(resolve, reject);
    });
    return {
      async ask(request) {
        if (loss !== undefined) throw loss;
        return await new Promise((resolve, reject) => {
          waiting.add(reject);
          request(sftp, (error, value) => {
            waiting.delete(reject);
            if (error) reject(error);
            else resolve(value);
          });
        });
      },
      [Symbol.asyncDispose]: async () => await Promise.resolve(end()),
    };
  } catch (error) {
    end();
    signal.throwIfAborted();
    throw refusal() ?? translateSftpError(place, 'connecting', error);
  }
}

async function openChannel(client: Client, settings: ConnectConfig): Promise<SFTPWrapper> {
  await new Promise<void>((resolve) => client.once('ready', resolve).connect(settings));
  // Small packets would otherwise wait for each other: 1 MB/s instead of 100.
  client.setNoDelay(true);
  return await new Promise((resolve, reject) => {
    client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp)));
  });
}
