import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type ScriptedSmtpServerOptions, scriptedSmtpServer } from '../scripted-smtp-server.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => await database[Symbol.asyncDispose]());

async function newTasks(count: number): Promise<number[]> {
  const rows = await database.query<{ id: string }>(
    `select tend.enqueue('send-mail', '{}') as id from generate_series(1, $1::int)`,
    [count],
  );
  return rows.map(({ id }) => Number(id));
}

async function states(): Promise<Map<number, string>> {
  const rows = await database.query<{ task_id: string; state: string }>(
    'select task_id, state from tend.deliveries',
  );
  return new Map(rows.map(({ task_id, state }) => [Number(task_id), state]));
}

function startWorker(tasks: readonly number[], port: number): ChildProcess {
  return spawn(process.execPath, [fileURLToPath(new URL('../mail-worker.ts', import.meta.url))], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      TASKS: JSON.stringify(tasks),
      PORT: String(port),
      CONNECTION: JSON.stringify(database.connection),
    },
  });
}

/** Runs a worker over the tasks and kills it when the server says so. */
async function runAndKill(tasks: readonly number[], server: (kill: () => void) => ScriptedSmtpServerOptions) {
  const running: { worker?: ChildProcess } = {};
  await using started = await scriptedSmtpServer(server(() => running.worker?.kill('SIGKILL')));
  running.worker = startWorker(tasks, started.port);
  const [code, signal] = await once(running.worker, 'exit');
  return { code, signal, messages: started.messages };
}

describe('a worker killed with SIGKILL', () => {
  it('before the end of the message leaves a delivery that is simply sent again', async () => {
    const tasks = await newTasks(1);
    const killed = await runAndKill(tasks, (kill) => ({
      replies: {
        RCPT: () => {
          kill();
          return '250 Ok';
        },
      },
    }));
    expect(killed).toMatchObject({ signal: 'SIGKILL', messages: [] });
    expect([...(await states()).values()]).toEqual(['composed']);
    const again = await runAndKill(tasks, () => ({}));
    expect([again.code, again.messages.length]).toEqual([0, 1]);
    expect((await states()).get(tasks[0] ?? 0)).toBe('sent');
  });

  it('between the end and the reply leaves one that is not sent again by itself', async () => {
    const tasks = await newTasks(1);
    const killed = await runAndKill(tasks, (kill) => ({ onMessage: kill }));
    expect([killed.signal, killed.messages.length]).toEqual(['SIGKILL', 1]);
    expect((await states()).get(tasks[0] ?? 0)).toBe('committing');
    const again = await runAndKill(tasks, () => ({}));
    expect([again.code, again.messages]).toEqual([0, []]);
    expect((await states()).get(tasks[0] ?? 0)).toBe('unknown');
  });

  it('again and again, at any step: no message twice, and each one sent or listed as unknown', async () => {
    const tasks = await newTasks(60);
    const copies = new Map<string, number>();
    let kills = 0;
    for (let rest = tasks; rest.length > 0; ) {
      const steps = ['EHLO', 'MAIL', 'RCPT', 'DATA', 'message'] as const;
      const step = steps[kills % steps.length] ?? 'message';
      // One connection carries them all, so it greets once.
      const after = step === 'EHLO' ? 1 : 3 + ((kills * 7) % 5);
      let seen = 0;
      const { messages, signal } = await runAndKill(rest, (kill) => {
        const replyThen = (reply: string) => () => {
          seen += 1;
          if (seen === after) kill();
          return reply;
        };
        const usual = {
          EHLO: '250 scripted',
          MAIL: '250 Ok',
          RCPT: '250 Ok',
          DATA: '354 Go on',
          message: '250 Ok',
        };
        return { replies: { [step]: replyThen(usual[step]) } };
      });
      if (signal === 'SIGKILL') kills += 1;
      for (const message of messages) {
        const id = /^Message-ID: (.*)$/m.exec(message)?.[1] ?? '';
        copies.set(id, (copies.get(id) ?? 0) + 1);
      }
      const now = await states();
      rest = rest.filter((taskId) => !['sent', 'unknown'].includes(now.get(taskId) ?? ''));
    }
    const now = await states();
    const sent = tasks.filter((taskId) => now.get(taskId) === 'sent');
    expect(kills).toBeGreaterThan(5);
    expect([...copies.values()].filter((count) => count > 1)).toEqual([]);
    expect(copies.size).toBeGreaterThanOrEqual(sent.length);
    expect(sent.length + tasks.filter((taskId) => now.get(taskId) === 'unknown').length).toBe(tasks.length);
  });
});
