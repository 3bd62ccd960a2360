import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createQueueSite, json, type QueueSite } from '../e2e/queue-site.ts';
import { debianPackage } from '../support/debian-package.ts';

const script = fileURLToPath(new URL('leaking-application.py', import.meta.url));
const python = '/usr/bin/python3'; // Debian's, whose packages these are
const packages = [
  ...['python3-sqlalchemy', 'python3-psycopg2', 'python3-typing-extensions'],
  ...['python3-apscheduler', 'python3-tzlocal', 'python3-tz', 'python3-pytz-deprecation-shim', 'python3-six'],
];
const pythonPath = packages
  .map((name) => debianPackage(name))
  .filter((root) => root !== undefined)
  .map((root) => join(root, 'usr/lib/python3/dist-packages'))
  .join(':');

const canImport = (modules: string) =>
  spawnSync(python, ['-c', `import ${modules}`], { env: { PYTHONPATH: pythonPath } }).status === 0;
const hasAlchemy = canImport('sqlalchemy, psycopg2');
const ways = [
  { way: 'threads', isHere: hasAlchemy },
  { way: 'apscheduler', isHere: hasAlchemy && canImport('apscheduler.schedulers.background') },
];

let site: QueueSite;
beforeAll(async () => {
  site = await createQueueSite();
  await site.tend(['run-due-tasks']);
});
afterAll(async () => await site[Symbol.asyncDispose]());

/** The application, which leaks once when it is told to. */
async function startApplication(way: string, application: string) {
  const { host, port, user } = {
    host: site.database.env['PGHOST'],
    port: site.database.env['PGPORT'],
    user: site.database.env['PGUSER'],
  };
  const url = `postgresql+psycopg2://${user}@/${site.database.name}?host=${host}&port=${port}`;
  const child = spawn(python, [script, url, way], {
    env: { PYTHONPATH: pythonPath, ...(application !== '' && { PGAPPNAME: application }) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async leak() {
      child.stdin.write('\n');
      expect((await answers.next()).value).toBe('done');
    },
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/**
 * A tick samples the minute; then the next minute begins. The samples go back by way of
 * a time that none of them has: their key is checked row by row.
 */
async function tickOfAMinute(): Promise<void> {
  const { exitCode } = await site.command(['run-due-tasks']);
  expect(exitCode).toBe(0);
  for (const step of ["+ interval '999 years'", "- interval '999 years 1 minute'"]) {
    await site.database.query(`update tend.connection_samples set sampled_at = sampled_at ${step}`);
  }
}

describe.each(ways)('an application that leaves a pool behind with every run ($way)', ({ way, isHere }) => {
  it.for(['cms_scheduler', ''])(
    'is named before no session is left, calling itself "%s"',
    async (application, { skip }) => {
      if (!isHere) return skip("Debian's python3, or its SQLAlchemy, psycopg2 or APScheduler, cannot be had");
      await site.database.query('truncate tend.connection_samples');
      await using leaking = await startApplication(way, application);
      for (let minute = 0; minute < 10; minute++) {
        await leaking.leak();
        await tickOfAMinute();
      }
      const { groups, usedPercent } = json(await site.command(['connections', '--json']));
      expect(usedPercent).toBeLessThan(100);
      const { user } = site.database.connection;
      expect(groups).toContainEqual(
        expect.objectContaining({
          application,
          user,
          database: site.database.name,
          state: 'idle',
          count: 10,
        }),
      );
      const { checks } = json(await site.command(['doctor', '--json']));
      expect(checks).toContainEqual({
        name: 'connection-trend',
        status: expect.stringMatching(/warn|fail/),
        text: expect.stringContaining(`sessions of "${application || `user ${user}`}" rose from `),
        fix: expect.stringContaining('tend connections'),
      });
    },
  );
});
