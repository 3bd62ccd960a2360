import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { restartApp } from '../../src/app/restart-app.ts';
import { silentLog } from '../../src/log.ts';
import { SecretRegistry } from '../../src/redact.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tend-restart-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function restart(...argv: string[]) {
  return restartApp({
    restart: argv,
    timeoutMs: 60_000,
    baseDirectory: directory,
    env: process.env,
    secrets: new SecretRegistry(),
    log: silentLog,
    signal: new AbortController().signal,
  });
}

test('a server left in the background goes on after the command has ended', async () => {
  await restart('sh', '-c', 'sleep 600 >/dev/null 2>&1 & echo $! > pid');
  const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
  expect(process.kill(pid, 0)).toBe(true);
  process.kill(pid, 'SIGKILL');
});

test('a command that fails is APP_RESTART_FAILED with what it said', async () => {
  await expect(restart('sh', '-c', 'echo "Unit cms.service not found." >&2; exit 5')).rejects.toMatchObject({
    code: 'APP_RESTART_FAILED',
    exitCode: 1,
    message: expect.stringContaining('exit code 5'),
    details: expect.stringContaining('Unit cms.service not found.'),
  });
});

test('a program that does not exist is APP_RESTART_FAILED naming it', async () => {
  await expect(restart('no-such-program')).rejects.toMatchObject({
    code: 'APP_RESTART_FAILED',
    message: expect.stringContaining('no-such-program'),
  });
});
