// npm run test:cron   Debian's real cron calls a site for two minutes: from a user's crontab and from /etc/cron.d
//
// cron is unpacked, not installed, and runs with a spool, an /etc/cron.d and a /run of its own (a mount namespace, which
// needs root). All of it is gone when this process is.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startCluster } from '../support/cluster.ts';
import { debianPackage } from '../support/debian-package.ts';
import { createRunDirectory } from '../support/run-directory.ts';

const entry = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const longestMs = 200_000;

const cron = debianPackage('cron');
if (cron === undefined) end('skipped: the Debian package "cron" cannot be had', 0);
if (spawnSync('unshare', ['--mount', 'true']).status !== 0) end('skipped: "unshare --mount" needs root', 0);

/** Both crontabs for one site, then cron itself, in the foreground. */
const script = `
set -e
mount --make-rprivate / 2>/dev/null || true
mount -t tmpfs none /var/spool
mkdir -p /var/spool/cron/crontabs
mkdir -p /etc/cron.d
mount -t tmpfs none /etc/cron.d
mount -t tmpfs none /run
export PATH=${cron}/usr/bin:$PATH
echo '59 23 31 12 *  true' | crontab -
"$@" crontab install --yes >&2
"$@" crontab install --file /etc/cron.d/tend --run-as root --yes >&2
crontab -l | grep -q '59 23 31 12'
"$@" doctor --json > doctor.json || true
exec ${cron}/usr/sbin/cron -f
`;

const directory = await createRunDirectory('cron');
const cluster = await startCluster({ parentDirectory: directory.path });
const place = { host: cluster.socketDirectory, port: cluster.port, user: cluster.superuser };
const client = new pg.Client({ ...place, password: cluster.password, database: 'postgres' });
await client.connect();
const site = join(directory.path, '5% of a site');
mkdirSync(site);
const url = `postgresql://${cluster.superuser}@/postgres?host=${cluster.socketDirectory}&port=${cluster.port}`;
writeFileSync(join(site, '.env'), `DATABASE_URL='${url}'\n`);
execFileSync(process.execPath, [entry, 'init', '--yes'], {
  cwd: site,
  stdio: ['ignore', 'ignore', 'inherit'],
});

const shell = ['sh', '-c', script, 'sh', process.execPath, entry];
const running = spawn(
  'setpriv',
  ['--pdeathsig=KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', ...shell],
  {
    cwd: site,
    stdio: ['ignore', 'inherit', 'inherit'],
  },
);
const ticks = await waitForTicks(4);
running.kill('SIGKILL');
if (running.exitCode === null && running.signalCode === null) await once(running, 'exit');
await client.end();
await cluster[Symbol.asyncDispose]();
const { checks }: { checks: { name: string; status: string; text: string }[] } = JSON.parse(
  readFileSync(join(site, 'doctor.json'), 'utf8'),
);
const tried = checks.find(({ name }) => name === 'cron-environment');
const isGood =
  ticks >= 4 && tried?.status === 'ok' && /the crontab of \w+, \/etc\/cron\.d\/tend$/.test(tried.text);
end(
  `${ticks} ticks by cron, 4 were expected; doctor says: ${tried?.status}, ${tried?.text}`,
  isGood ? 0 : 1,
  isGood ? '1 passed, 0 failed' : '0 passed, 1 failed',
);

/** Two crontabs tick twice in two minutes. */
async function waitForTicks(wanted: number): Promise<number> {
  const started = performance.now();
  let count = 0;
  while (count < wanted && performance.now() - started < longestMs && running.exitCode === null) {
    await sleep(1000);
    const { rows } = await client.query<{ ticks: string }>(
      'select coalesce(sum(ticks), 0) as ticks from tend.hosts',
    );
    count = Number(rows[0]?.ticks);
  }
  return count;
}

function end(message: string, exitCode: number, summary = '0 passed, 0 failed, 1 skipped'): never {
  process.stdout.write(`test:cron: ${message}\n${summary}\n`);
  process.exit(exitCode);
}
