import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const python = '/usr/bin/python3';
const logger = '/usr/bin/logger';

/** Node has no datagram sockets of Unix: what a syslog daemon does with its own stands in a few lines of Python. */
const daemonProgram = `
import json, socket, sys
daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
daemon.bind(sys.argv[1])
print("bound", flush=True)
if sys.argv[2] == "deaf": sys.stdin.read()
while True: print(json.dumps(daemon.recv(300000).decode()), flush=True)
`;

/** A syslog daemon for one test, and a `logger` that is util-linux's own, talking to its socket. */
export interface SyslogDaemon extends AsyncDisposable {
  /** PATH on which that `logger` is found first. */
  path: string;
  /** The messages so far, as they came over the socket; waits, for 10 s at most, until there are `count`. */
  arrived(count: number): Promise<string[]>;
  /** The arguments `logger` was started with, a line each time. */
  starts(): Promise<string[]>;
}

/** Whether this machine has what the daemon is made of. */
export const hasSyslog = existsSync(python) && existsSync(logger);

/** @param manner `deaf` takes no message from its socket, which the kernel then fills and closes to others. */
export async function startSyslogDaemon(manner: 'listening' | 'deaf' = 'listening'): Promise<SyslogDaemon> {
  const directory = await temporaryDirectory();
  const socket = join(directory.path, 'log');
  const starts = join(directory.path, 'starts');
  await useLogger(directory.path, `echo "$*" >> ${starts}\nexec ${logger} --socket ${socket} "$@"`);
  const daemon = spawn(python, ['-I', '-c', daemonProgram, socket, manner], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let heard = '';
  daemon.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    heard += chunk;
  });
  const lines = () => heard.split('\n').slice(0, -1);
  const waitFor = async (count: number) => {
    for (let waited = 0; lines().length < count && waited < 500; waited += 1) await sleep(20);
    return lines();
  };
  await waitFor(1);
  return {
    path: `${join(directory.path, 'bin')}:/usr/bin:/bin`,
    arrived: async (count) => (await waitFor(count + 1)).slice(1).map((line): string => JSON.parse(line)),
    starts: async () => (await readFile(starts, 'utf8').catch(() => '')).split('\n').slice(0, -1),
    async [Symbol.asyncDispose]() {
      daemon.kill('SIGKILL');
      if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit');
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Puts a `logger` of the test's own into `directory/bin`, and returns the PATH on which it is found first. */
export async function useLogger(directory: string, script: string): Promise<string> {
  const bin = join(directory, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'logger'), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, 'logger'), 0o755);
  return `${bin}:/usr/bin:/bin`;
}
