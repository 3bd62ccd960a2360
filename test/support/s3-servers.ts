import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { startFauxqs } from 'fauxqs';
import { type MultipartListings, startMultipartListings } from './multipart-listings.ts';
import { testRun } from './test-run.ts';

/** A server that speaks S3 on 127.0.0.1, with an empty bucket `backups`. */
export interface S3Server extends AsyncDisposable {
  port: number;
}

/** Knows every operation on multipart uploads, its listings by a layer in front of it, and lets everybody in. */
export async function startFauxqsServer(): Promise<S3Server & Pick<MultipartListings, 'begun'>> {
  const server = await startFauxqs({ port: 0, logger: false });
  server.createBucket('backups');
  const front = await startMultipartListings(server.port);
  return {
    port: front.port,
    begun: front.begun,
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]();
      await server.stop();
    },
  };
}

interface S3rver {
  run(): Promise<{ port: number }>;
  close(): Promise<void>;
}

/** Knows one access key, `S3RVER`, and can neither list nor give up multipart uploads. */
export async function startS3rver(): Promise<S3Server> {
  const directory = await mkdtemp(join(testRun().temporaryDirectory, 's3rver-'));
  // The package has no types; these are the parts of its documented interface that are used here.
  const S3rver = createRequire(import.meta.url)('s3rver') as new (options: object) => S3rver;
  const server = new S3rver({
    ...{ address: '127.0.0.1', port: 0, silent: true, directory },
    configureBuckets: [{ name: 'backups', configs: [] }],
  });
  const { port } = await server.run();
  return {
    port,
    async [Symbol.asyncDispose]() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
