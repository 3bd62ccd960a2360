import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Cluster, startCluster } from './cluster.ts';
import { findLeftovers } from './leftovers.ts';
import { reportRunFailure } from './run-failures.ts';
import { createTemplate } from './template.ts';

/** Starts the suite's one cluster; afterwards looks for what the suite left behind, then stops and removes it. */
export default async function globalSetup(project: TestProject): Promise<() => Promise<void>> {
  requireNode24();
  const id = randomBytes(6).toString('hex');
  const directory = await mkdtemp(join(tmpdir(), `tend-test-${id}-`));
  await chmod(directory, 0o755);
  const temporaryDirectory = join(directory, 'tmp');
  await mkdir(temporaryDirectory);
  await chmod(temporaryDirectory, 0o1777);
  let cluster: Cluster;
  try {
    cluster = await startCluster({ parentDirectory: directory });
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  const { binaries, socketDirectory, port, superuser, password } = cluster;
  const run = { id, temporaryDirectory, binaries, socketDirectory, port, superuser, password };
  project.provide('testRun', { ...run, ...(await createTemplate(run)) });
  return async () => {
    const leftovers = await findLeftovers({ id, temporaryDirectory, socketDirectory, port, superuser });
    await cluster[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
    if (leftovers.length > 0) reportRunFailure('The suite left something behind', leftovers);
  };
}

function requireNode24(): void {
  if (Number(process.versions.node.split('.')[0]) >= 24) return;
  throw new Error(`The tests need Node 24, this is ${process.versions.node}: run them with npm test.`);
}
