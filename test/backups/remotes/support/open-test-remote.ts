import { parse } from 'valibot';
import { openRemote } from '../../../../src/backups/remotes/open-remote.ts';
import type { RemoteStore } from '../../../../src/backups/remotes/remote-store.ts';
import { configSchema } from '../../../../src/config/schema.ts';
import { SecretRegistry } from '../../../../src/redact.ts';
import type { SftpServer } from '../../../support/sftp-server.ts';

/** Settings as in tend.toml. */
export type RemoteTable = Record<string, string | number>;

const s3Environment = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' };

export function s3Table(port: number): RemoteTable {
  return { type: 's3', bucket: 'backups', prefix: 'app/sets', endpoint: `http://127.0.0.1:${port}` };
}

export function sftpTable(server: SftpServer, port = server.port): RemoteTable {
  const { user, key, directory } = server;
  return {
    type: 'sftp',
    host: '127.0.0.1',
    port,
    user,
    key,
    path: directory,
    known_hosts: server.knownHosts(port),
  };
}

/** The remote `offsite`; a try that fails is repeated at once, twice. */
export async function openTestRemote(
  table: RemoteTable,
  options: { env?: NodeJS.ProcessEnv; retryDelaysMs?: number[]; signal?: AbortSignal } = {},
): Promise<RemoteStore> {
  return await openRemote({
    name: 'offsite',
    config: parse(configSchema, { backup: { remotes: { offsite: table } } }),
    baseDirectory: '/',
    env: s3Environment,
    secrets: new SecretRegistry(),
    signal: new AbortController().signal,
    retryDelaysMs: [0, 0],
    ...options,
  });
}
