import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** A browser without a window, spoken to over a pipe (Chrome DevTools Protocol: JSON, each message ended by a NUL). */
export interface Browser extends AsyncDisposable {
  send(method: string, params?: object, sessionId?: string): Promise<Record<string, unknown>>;
}

export async function startBrowser(program: string): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'tend-browser-'));
  const child = spawn(
    program,
    [
      ...[
        '--headless=new',
        '--remote-debugging-pipe',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
      ],
      ...['--no-first-run', '--hide-scrollbars', `--user-data-dir=${profile}`],
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const ended = once(child, 'exit');
  // Both were asked for as pipes in stdio.
  const [toBrowser, fromBrowser] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  const waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  let rest = '';
  fromBrowser.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = (rest + chunk).split('\0');
    rest = messages.pop() ?? '';
    for (const message of messages) {
      const { id, result, error } = JSON.parse(message);
      if (error === undefined) waiting.get(id)?.resolve(result);
      else waiting.get(id)?.reject(new Error(error.message));
    }
  });
  void ended.then(() => waiting.forEach(({ reject }) => reject(new Error('The browser ended.'))));
  let lastId = 0;
  return {
    async send(method, params = {}, sessionId) {
      lastId += 1;
      const answer = Promise.withResolvers<Record<string, unknown>>();
      waiting.set(lastId, answer);
      toBrowser.write(`${JSON.stringify({ id: lastId, method, params, sessionId })}\0`);
      return await answer.promise;
    },
    async [Symbol.asyncDispose]() {
      toBrowser.write(`${JSON.stringify({ id: 0, method: 'Browser.close' })}\0`);
      const killer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(killer);
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}
