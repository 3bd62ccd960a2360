import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeOwner, isDeadHere, workerIdentity } from '../../src/tasks/worker-identity.ts';

const isLinux = process.platform === 'linux';
const here = workerIdentity('web1');

/** A real process with the owner it would write into its leases. */
async function startWorker(): Promise<{ child: ChildProcess; owner: string }> {
  const module = new URL('../../src/tasks/worker-identity.ts', import.meta.url).href;
  const program = `
    const { workerIdentity } = await import(${JSON.stringify(module)});
    process.stdout.write(workerIdentity('web1').owner + '\\n');
    process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [owner] = await once(child.stdout.setEncoding('utf8'), 'data');
  return { child, owner: String(owner).trim() };
}

it('two identities are never the same, not even within one process', () => {
  const owners = new Set(Array.from({ length: 1000 }, () => workerIdentity('web1').owner));
  expect(owners.size).toBe(1000);
});

it('two processes on one host never share an identity', async () => {
  const workers = await Promise.all([startWorker(), startWorker()]);
  for (const { child } of workers) child.kill('SIGKILL');
  expect(new Set([here.owner, ...workers.map(({ owner }) => owner)]).size).toBe(3);
});

it('a person sees host and pid of an owner', () => {
  expect(describeOwner(here.owner)).toBe(`web1:${process.pid}`);
});

it('this very process is not dead', () => {
  expect(isDeadHere(here.owner, here)).toBe(false);
});

it.runIf(isLinux)('a process that was killed is dead, as soon as it is', async () => {
  const { child, owner } = await startWorker();
  expect(isDeadHere(owner, here)).toBe(false);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isDeadHere(owner, here)).toBe(true);
});

it.runIf(isLinux)('a process that has ended and was not yet waited for is dead', async () => {
  // The shell starts a worker that ends at once, and then becomes `sleep`, which waits for nobody.
  const shell = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [pid] = await once(shell.stdout.setEncoding('utf8'), 'data');
  const stat = () => readFileSync(`/proc/${String(pid).trim()}/stat`, 'utf8').split(' ');
  try {
    await expect.poll(() => stat()[2]).toBe('Z');
    const owner = ['web1', String(pid).trim(), here.kernel, stat()[21], 'aaaa'].join(':');
    expect(isDeadHere(owner, here)).toBe(true);
  } finally {
    shell.kill('SIGKILL');
    await once(shell, 'exit');
  }
});

it.runIf(isLinux)('a pid that another process got meanwhile is known by its start time', () => {
  const [host, pid, kernel, start, random] = here.owner.split(':');
  expect(isDeadHere([host, pid, kernel, `${Number(start) - 1}`, random].join(':'), here)).toBe(true);
});

it.each([
  ['another host', ['web2', '999999999', here.kernel, '1', 'aaaa']],
  ['another boot or pid namespace', ['web1', '999999999', '00000000-1', '1', 'aaaa']],
  ['an unknown kernel', ['web1', '999999999', '', '1', 'aaaa']],
  ['no pid', ['web1', '', here.kernel, '1', 'aaaa']],
  ['pid 0', ['web1', '0', here.kernel, '1', 'aaaa']],
  ['a pid that is a group', ['web1', '-1', here.kernel, '1', 'aaaa']],
])('nobody is called dead who cannot be known to be: %s', (_name, parts) => {
  expect(isDeadHere(parts.join(':'), here)).toBe(false);
});

it('nobody is called dead where this system does not tell its kernel', () => {
  const blind = { ...here, kernel: '' };
  expect(isDeadHere('web1:999999999::1:aaaa', blind)).toBe(false);
});
