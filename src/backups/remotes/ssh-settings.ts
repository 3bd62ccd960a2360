import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ConnectConfig, ServerHostKeyAlgorithm } from 'ssh2';
import { resolveReference } from '../../config/resolve-reference.ts';
import { type TendError, toError } from '../../errors.ts';
import { fingerprint, hostLabel, judgeHostKey, knownHostsLine, knownKeyTypes } from './known-hosts.ts';
import { remoteError } from './remote-errors.ts';
import type { SftpSessionOptions } from './sftp-session.ts';

/** How a connection is made, and why the server was refused, once it was. */
export interface SshSettings {
  settings: ConnectConfig;
  refusal: () => TendError | undefined;
}

/** Everything ssh2 needs. Files are read anew for every connection: keys are exchanged while a long task runs. */
export async function sshSettings(options: SftpSessionOptions): Promise<SshSettings> {
  const { place, settings, user } = options;
  const { host, port } = settings;
  if (user === undefined) {
    const why = '"user" is not set, and the account that runs tend has no name';
    const hint = `Set it in tend.toml: [backup.remotes.${place.name}] user = "tend"`;
    throw remoteError('REMOTE_MISCONFIGURED', place, why, { hint });
  }
  const files = knownHostsFiles(options);
  const texts = await Promise.all(files.map(async (file) => await readFile(file, 'utf8').catch(() => '')));
  const known = texts.join('\n');
  const label = hostLabel(host, port);
  let refused: TendError | undefined;
  return {
    refusal: () => refused,
    settings: {
      host,
      port,
      username: user,
      ...(await login(options)),
      readyTimeout: 30_000,
      keepaliveInterval: 15_000,
      keepaliveCountMax: 4,
      algorithms: { serverHostKey: preferred(knownKeyTypes(known, label)) },
      hostVerifier: (key: Buffer) => {
        refused = refuseHostKey({ ...options, known, label, key, file: files[0] ?? '' });
        return refused === undefined;
      },
    },
  };
}

function knownHostsFiles({ settings, baseDirectory, env }: SftpSessionOptions): string[] {
  if (settings.known_hosts !== undefined) return [resolve(baseDirectory, settings.known_hosts)];
  return [join(env['HOME'] ?? '/', '.ssh/known_hosts'), '/etc/ssh/ssh_known_hosts'];
}

async function login(options: SftpSessionOptions): Promise<ConnectConfig> {
  const { place, settings, baseDirectory, env, secrets } = options;
  const secretOf = (key: 'password' | 'key_passphrase') => {
    const value = settings[key];
    return value && resolveReference({ value, key: `backup.remotes.${place.name}.${key}`, env, secrets });
  };
  const password = secretOf('password');
  const passphrase = secretOf('key_passphrase');
  const byPassword = { ...(password !== undefined && { password }) };
  if (settings.key === undefined) return byPassword;
  const path = resolve(baseDirectory, settings.key);
  const refuse = (why: string, cause: unknown) =>
    remoteError('REMOTE_MISCONFIGURED', place, `the key "${path}" cannot be used: ${why}`, { cause });
  const privateKey = await readFile(path).catch((error: Error) => {
    throw refuse(error.message, error);
  });
  const { default: ssh2 } = await import('ssh2');
  const parsed = ssh2.utils.parseKey(privateKey, passphrase);
  if (parsed instanceof Error) throw refuse(toError(parsed).message, parsed);
  return { ...byPassword, privateKey, ...(passphrase !== undefined && { passphrase }) };
}

const allTypes: ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** A server has several keys: it is asked for the one that is on file, else another would look like a changed one. */
function preferred(types: readonly string[]): ServerHostKeyAlgorithm[] {
  const isKnown = (algorithm: string) => types.includes(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm);
  return [...allTypes.filter(isKnown), ...allTypes.filter((algorithm) => !isKnown(algorithm))];
}

function refuseHostKey(
  options: SftpSessionOptions & { known: string; label: string; key: Buffer; file: string },
): TendError | undefined {
  const { place, known, label, key, file } = options;
  const verdict = judgeHostKey(known, label, key);
  if (verdict === 'known') return undefined;
  const print = fingerprint(key);
  const line = knownHostsLine(label, key);
  const refuse = (why: string, hint: string) =>
    remoteError('REMOTE_HOST_KEY', place, why, { hint, details: line });
  if (verdict === 'unknown') {
    return refuse(
      `the host key of ${label} is not known: ${print}`,
      `Compare the fingerprint with the server's own (ssh-keygen -lf), then add this line to ${file}: ${line}`,
    );
  }
  const how = verdict === 'revoked' ? 'was revoked' : 'is not the one on file, as when somebody listens in';
  return refuse(
    `the host key of ${label} ${how}: ${print}`,
    `If the server was really given a new key: ssh-keygen -R '${label}' -f ${file}, then add this line: ${line}`,
  );
}
