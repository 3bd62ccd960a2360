import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { S3Remote } from '../../config/backup-remotes.ts';
import { resolveReference } from '../../config/resolve-reference.ts';
import type { SecretRegistry } from '../../redact.ts';

export interface S3ClientOptions {
  name: string;
  settings: S3Remote;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
}

/**
 * A client for the bucket of a remote. Credentials come from the settings, from `AWS_ACCESS_KEY_ID` and
 * `AWS_SECRET_ACCESS_KEY`, or from where the AWS SDK looks (profiles, roles of the machine); whatever they are, they
 * are secrets from then on.
 */
export async function openS3Client(options: S3ClientOptions): Promise<S3Client> {
  const { settings, env, secrets } = options;
  const { endpoint } = settings;
  const { S3Client } = await import('@aws-sdk/client-s3');
  const credentials = givenCredentials(options);
  const region =
    settings.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? (endpoint && 'us-east-1');
  const client = new S3Client({
    ...(credentials && { credentials }),
    ...(region !== undefined && { region }),
    // Few servers but Amazon's have a host name for each bucket.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    // Amazon's newer checksums are unknown elsewhere: Content-MD5 goes with every upload instead, and all is read back.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000 },
  });
  const found = await client.config.credentials();
  secrets.add(found.secretAccessKey);
  secrets.add(found.sessionToken);
  return client;
}

function givenCredentials({ name, settings, env, secrets }: S3ClientOptions): S3ClientConfig['credentials'] {
  const { access_key_id: id, secret_access_key: secret } = settings;
  const key = `backup.remotes.${name}`;
  if (id !== undefined && secret !== undefined) {
    return {
      accessKeyId: resolveReference({ value: id, key: `${key}.access_key_id`, env, secrets }),
      secretAccessKey: resolveReference({ value: secret, key: `${key}.secret_access_key`, env, secrets }),
    };
  }
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = env;
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return {
    accessKeyId,
    secretAccessKey,
    ...(AWS_SESSION_TOKEN !== undefined && { sessionToken: AWS_SESSION_TOKEN }),
  };
}
