import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { TestProject } from 'vitest/node';
import { startCluster } from './cluster.ts';
import { findLeftovers } from './leftovers.ts';
import { createRunDirectory } from './run-directory.ts';
import { reportRunFailure } from './run-failures.ts';
import { createTemplate } from './template.ts';

/** Starts the suite's one cluster; afterwards looks for what the suite left behind, then stops and removes it. */
export default async function globalSetup(project: TestProject): Promise<() => Promise<void>> {
  requireNode24();
  const id = randomBytes(6).toString('hex');
  const directory = await createRunDirectory(id);
  const cluster = await startCluster({ parentDirectory: directory.path });
  // A run that is interrupted does not come to its end, and then nobody waits for the server.
  const stopAtOnce = () => process.kill(cluster.pid, 'SIGQUIT');
  process.prependOnceListener('exit', stopAtOnce);

  const { temporaryDirectory, cacheDirectory } = directory;
  const { binaries, socketDirectory, port, superuser, password } = cluster;
  const server = { binaries, socketDirectory, port, superuser, password };
  const run = { id, temporaryDirectory, cacheDirectory, ...server };
  project.provide('testRun', { ...run, ...(await createTemplate(run)) });
  return async () => {
    const leftovers = await findLeftovers(run);
    process.off('exit', stopAtOnce);
    await cluster[Symbol.asyncDispose]();
    await rm(directory.path, { recursive: true, force: true });
    if (leftovers.length > 0) reportRunFailure('The suite left something behind', leftovers);
  };
}

function requireNode24(): void {
  if (Number(process.versions.node.split('.')[0]) >= 24) return;
  throw new Error(`The tests need Node 24, this is ${process.versions.node}: run them with npm test.`);
}
