import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2 from 'ssh2';
import { debianPackage } from './debian-package.ts';
import { freePort } from './free-port.ts';
import { giveTo } from './initialise-cluster.ts';
import { asUser, serverEnvironment } from './server-process.ts';
import { testRun } from './test-run.ts';
import { unprivilegedUser } from './unprivileged-user.ts';

/** OpenSSH's own server on 127.0.0.1, which lets one user in, by one key, to SFTP only. */
export interface SftpServer extends AsyncDisposable {
  port: number;
  user: string;
  /** Where remotes of the tests may lie. */
  directory: string;
  /** Private key of the user, and a key that nobody knows. */
  key: string;
  strangersKey: string;
  /** A known_hosts file that names the server at `port`. */
  knownHosts(port: number): string;
  /** Kills it with all its connections. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

const server = debianPackage('openssh-server');
const wrap = debianPackage('libwrap0');

/** False where Debian's packages cannot be fetched. */
export const hasSftpServer = server !== undefined && wrap !== undefined;

/** Runs as root's unprivileged user, who alone can log in then: a server of root would need users and folders of its own. */
export async function startSftpServer(): Promise<SftpServer> {
  if (server === undefined || wrap === undefined)
    throw new Error("Debian's openssh-server cannot be had here.");
  const user = unprivilegedUser();
  const place = await mkdtemp(join(testRun().temporaryDirectory, 'sftp-'));
  const files = join(place, 'files');
  mkdirSync(files);
  for (const name of ['host', 'client', 'stranger']) {
    const pair = newKeyPair();
    writeFileSync(join(place, name), pair.private, { mode: 0o600 });
    writeFileSync(join(place, `${name}.pub`), `${pair.public}\n`);
  }
  const port = await freePort();
  const config = join(place, 'sshd_config');
  writeFileSync(config, configText(server, place, port));
  for (const path of [place, files, join(place, 'host')]) await giveTo(path, user);
  await chmod(join(place, 'host'), 0o600);
  const [command, args] = asUser(user, join(server, 'usr/sbin/sshd'), ['-D', '-e', '-r', '-f', config]);
  const env = { ...serverEnvironment(), LD_LIBRARY_PATH: libraries(wrap) };
  let child: ChildProcess | undefined;
  const kill = async () => {
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    // Every connection has a process of its own in the group.
    process.kill(-child.pid, 'SIGKILL');
    await gone;
  };
  const start = async () => {
    child = spawn(command, args, { cwd: '/', env, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    await answering(port, child);
  };
  await start();
  return {
    port,
    user: user === undefined ? userInfo().username : nameOf(user.uid),
    directory: files,
    key: join(place, 'client'),
    strangersKey: join(place, 'stranger'),
    knownHosts(ofPort) {
      const path = join(place, `known_hosts_${ofPort}`);
      const [type, key] = readFileSync(join(place, 'host.pub'), 'utf8').split(' ');
      writeFileSync(path, `[127.0.0.1]:${ofPort} ${type} ${key}\n`);
      return path;
    },
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(place, { recursive: true, force: true });
    },
  };
}

/** ssh2 leaves a leading zero out of a key (one of 256), and OpenSSH refuses what it then writes. */
function newKeyPair(): { private: string; public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    const [, key = ''] = pair.public.split(' ');
    // The lengths and the name of the type, and 32 bytes of key.
    if (Buffer.from(key, 'base64').length === 4 + 11 + 4 + 32) return pair;
  }
}

function configText(root: string, place: string, port: number): string {
  const lines = [
    ...[`ListenAddress 127.0.0.1:${port}`, `HostKey ${join(place, 'host')}`, 'PidFile none'],
    ...[`AuthorizedKeysFile ${join(place, 'client.pub')}`, 'PasswordAuthentication no', 'UsePAM no'],
    ...['StrictModes no', 'Subsystem sftp internal-sftp', 'ForceCommand internal-sftp', 'MaxStartups 100'],
  ];
  // From OpenSSH 9.8 on, programs of their own.
  for (const name of ['session', 'auth']) {
    const path = join(root, `usr/lib/openssh/sshd-${name}`);
    if (existsSync(path)) lines.push(`Sshd${name === 'auth' ? 'Auth' : 'Session'}Path ${path}`);
  }
  return `${lines.join('\n')}\n`;
}

function libraries(root: string): string {
  const triplets = ['x86_64-linux-gnu', 'aarch64-linux-gnu'];
  return triplets.flatMap((name) => [join(root, 'lib', name), join(root, 'usr/lib', name)]).join(':');
}

function nameOf(uid: number): string {
  return execFileSync('id', ['-un', String(uid)], { encoding: 'utf8' }).trim();
}

async function answering(port: number, child: ChildProcess): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += String(chunk);
  });
  for (;;) {
    if (child.exitCode !== null) throw new Error(`sshd ended with ${child.exitCode}: ${said}`);
    const socket = connect(port, '127.0.0.1');
    const isUp = await Promise.race([
      once(socket, 'data').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isUp) return;
    await sleep(20);
  }
}
