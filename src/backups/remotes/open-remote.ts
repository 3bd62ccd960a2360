import type { Config } from '../../config/schema.ts';
import { TendError } from '../../errors.ts';
import type { SecretRegistry } from '../../redact.ts';
import type { RemoteStore } from './remote-store.ts';

export interface OpenRemoteOptions {
  name: string;
  config: Config;
  /** What relative paths of the configuration are relative to. */
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  signal: AbortSignal;
  /** Waits between tries; given by tests that do not want to wait. */
  retryDelaysMs?: readonly number[];
}

/** About a minute: what takes longer is the business of a task that is tried again. */
const delaysMs = [1000, 5000, 15_000, 30_000];

/**
 * The remote of a name. Nothing is connected yet; the packages behind it are loaded here and not before.
 *
 * @throws TendError REMOTE_NOT_CONFIGURED.
 */
export async function openRemote(options: OpenRemoteOptions): Promise<RemoteStore> {
  const { name, config } = options;
  const settings = remoteSettings(config, name);
  const shared = { ...options, retryDelaysMs: options.retryDelaysMs ?? delaysMs };
  if (settings.type === 's3') {
    const { s3Store } = await import('./s3-store.ts');
    return s3Store({ ...shared, settings });
  }
  const { sftpStore } = await import('./sftp-store.ts');
  return sftpStore({ ...shared, settings });
}

/** The names to copy to: those asked for, else all. Each is checked to be configured. */
export function remoteNames(config: Config, asked: readonly string[] | undefined): string[] {
  const names = asked ?? Object.keys(config.backup.remotes);
  for (const name of names) remoteSettings(config, name);
  return [...new Set(names)];
}

function remoteSettings(config: Config, name: string) {
  const { remotes } = config.backup;
  const settings = Object.hasOwn(remotes, name) ? remotes[name] : undefined;
  if (settings !== undefined) return settings;
  const known = Object.keys(remotes);
  throw new TendError('REMOTE_NOT_CONFIGURED', `There is no remote "${name}" in tend.toml.`, {
    hint:
      known.length === 0
        ? `Describe it: [backup.remotes.${name}] type = "s3" or "sftp"; see docs/operations.md`
        : `Those that are: ${known.join(', ')}`,
    isPermanent: true,
  });
}
