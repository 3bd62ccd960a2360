import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema.ts';
import { moduleHandler } from '../../../src/tasks/handlers/module.ts';
import { markedProcesses } from '../../processes/support/marked-processes.ts';
import { newMark } from '../../processes/support/tool-call.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { testRun } from '../../support/test-run.ts';
import { type AttemptRow, createQueue, type Queue, type TaskRow } from '../support/queue.ts';

let queue: Queue;
let directory: TemporaryDirectory;
let count = 0;

beforeAll(async () => {
  queue = await createQueue();
  directory = await temporaryDirectory();
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  await mkdir(join(directory.path, 'node_modules'));
  await symlink(join(root, 'node_modules/valibot'), join(directory.path, 'node_modules/valibot'));
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
  await queue[Symbol.asyncDispose]();
});
beforeEach(async () => await queue.clear());

interface Given {
  file?: string;
  payload?: Record<string, unknown>;
  config?: Record<string, unknown>;
  env?: Record<string, string>;
  secret?: string;
  grace?: string;
  signal?: AbortSignal;
}

/** Writes a module and returns its name, relative to the directory. */
async function write(source: string, file = `task-${++count}.mjs`): Promise<string> {
  const path = join(directory.path, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, source);
  return file;
}

/** Runs one attempt of a module in a tick, and returns what the queue says of it. */
async function attempt(source: string, given: Given = {}): Promise<{ task: TaskRow; row: AttemptRow }> {
  return await attemptFile(await write(source, given.file), given);
}

async function attemptFile(module: string, given: Given = {}): Promise<{ task: TaskRow; row: AttemptRow }> {
  const own = { module, env: ['NODE_COMPILE_CACHE'], ...given.config };
  const tasks = { grace: given.grace ?? '2s', kinds: { mod: own } };
  const config = v.parse(configSchema, { tasks });
  const kind = config.tasks.kinds['mod'];
  if (kind?.module === undefined) throw new Error('no module');
  const context = { ...queue.context(), config, baseDirectory: directory.path };
  context.env = {
    ...{ PATH: '/usr/bin:/bin', NODE_COMPILE_CACHE: testRun().cacheDirectory },
    ...given.env,
  };
  context.secrets.add(given.secret);
  const { run } = moduleHandler({ ...kind, module: kind.module });
  const id = await queue.enqueue('mod', { payload: given.payload ?? {} });
  await queue.tick(
    { mod: { run } },
    { context, onlyKinds: ['mod'], ...(given.signal !== undefined && { signal: given.signal }) },
  );
  const [row] = await queue.attempts(id);
  if (row === undefined) throw new Error('no attempt is on record');
  return { task: await queue.task(id), row };
}

const body = (lines: string) =>
  `export default { async run({ payload, task, signal, log, progress, enqueue, idempotencyKey }) {\n${lines}\n} };`;

describe('a module', () => {
  it('gets its payload and task, and what it returns is the evidence', async () => {
    const { task, row } = await attempt(
      body('return { payload, task, isLive: !signal.aborted, argv: process.argv.slice(1) };'),
      {
        file: 'tasks/sync.mjs',
        payload: { album: 7 },
      },
    );
    expect(task).toMatchObject({ state: 'succeeded' });
    expect(row).toMatchObject({
      exit_code: 0,
      error: null,
      output_tail: null,
      evidence: {
        payload: { album: 7 },
        task: { id: task.id, kind: 'mod', attempt: 1 },
        isLive: true,
        argv: [join(directory.path, 'tasks/sync.mjs')],
      },
    });
  });

  it.each([
    ['tasks/plain.js', 'export default { run: () => ({ ok: true }) };'],
    ['tasks/old.cjs', 'module.exports = { run: () => ({ ok: true }) };'],
    [
      'tasks/typed.ts',
      'interface Proof { ok: boolean }\nexport default { run: (): Proof => ({ ok: true }) };',
    ],
    [
      'tasks/made.mjs',
      `import { defineTask } from 'tend';\nexport default defineTask({ run: () => ({ ok: true }) });`,
    ],
    [
      'tasks/required.cjs',
      `const { defineTask } = require('tend');\nmodule.exports = defineTask({ run: () => ({ ok: true }) });`,
    ],
  ])('may be %s', async (file, source) => {
    const { row } = await attempt(source, { file });
    expect(row).toMatchObject({
      error: null,
      outcome: 'succeeded',
      evidence: { ok: true },
      output_tail: null,
    });
  });

  it('says what it does in the output tail, in order with what it prints', async () => {
    const { row } = await attempt(
      body(`
        log.info('one');
        console.error('two');
        await progress.step('three', async (report) => report('half'));
        log.warn('four');
        log.debug({ five: 5 });`),
    );
    expect(row.output_tail).toBe('one\ntwo\nthree\nthree: half\nwarning: four\n{ five: 5 }\n');
  });

  it('gets a payload of megabytes', async () => {
    const { row } = await attempt(body('return { length: payload.text.length };'), {
      payload: { text: 'é'.repeat(2_000_000) },
    });
    expect(row.evidence).toEqual({ length: 2_000_000 });
  });

  it('has the environment of a command: an allow-list, what env names, and which task it is', async () => {
    const { task, row } = await attempt(body('return { ...process.env };'), {
      env: { HOME: '/home/cms', CRM_URL: 'https://crm', DATABASE_URL: 'postgres://u:secret@h/d' },
      config: { env: ['CRM_URL', 'UNSET'] },
    });
    const { PWD: _, OLDPWD: __, SHLVL: ___, _: ____, ...env } = Object(row.evidence);
    expect(env).toEqual({
      ...{ PATH: '/usr/bin:/bin', HOME: '/home/cms', CRM_URL: 'https://crm' },
      ...{ TEND_TASK_ID: String(task.id), TEND_ATTEMPT: '1' },
    });
  });

  it('runs in the directory that is configured, else that of tend.toml', async () => {
    const here = await attempt(body('return { cwd: process.cwd() };'));
    expect(here.row.evidence).toEqual({ cwd: directory.path });
    await mkdir(join(directory.path, 'elsewhere'), { recursive: true });
    const there = await attempt(body('return { cwd: process.cwd() };'), {
      config: { directory: 'elsewhere' },
    });
    expect(there.row.evidence).toEqual({ cwd: join(directory.path, 'elsewhere') });
  });

  it('has one idempotency key over all its attempts, and no other task has it', async () => {
    const module = await write(body('throw new Error(idempotencyKey);'));
    const keysOf = async () => {
      const { task } = await attemptFile(module);
      await queue.database.query('update tend.tasks set run_at = now()');
      await attemptFile(module);
      return (await queue.attempts(task.id)).map(({ error }) => error);
    };
    const [first, second] = [await keysOf(), await keysOf()];
    expect(first[0]).toMatch(/^\S{20,200}$/);
    expect(new Set(first).size).toBe(1);
    expect(second).not.toContain(first[0]);
  });

  it('shows no secret in its evidence, its output or its error', async () => {
    const secret = 'correct-horse-battery';
    const given = { secret, env: { TOKEN: secret }, config: { env: ['TOKEN'] } };
    const done = await attempt(
      body('console.log(process.env.TOKEN); return { list: [`with ${process.env.TOKEN}`] };'),
      given,
    );
    expect(done.row).toMatchObject({ output_tail: '***\n', evidence: { list: ['with ***'] } });
    const failed = await attempt(body('throw new Error(`login with ${process.env.TOKEN}`);'), given);
    expect(failed.row.error).toBe('login with ***');
    expect(failed.row.output_tail).not.toContain(secret);
  });
});

describe('the payload of a module', () => {
  const schema = `import * as v from 'valibot';
    const payload = v.object({ to: v.object({ address: v.string() }), days: v.optional(v.number(), 7) });`;

  it('is what its function makes of it', async () => {
    const { row } = await attempt(
      `export default { payload: async ({ days }) => ({ ms: days * 86400000 }), run: ({ payload }) => payload };`,
      { payload: { days: 2 } },
    );
    expect(row.evidence).toEqual({ ms: 172_800_000 });
  });

  it('is what a Standard Schema makes of it', async () => {
    const { row } = await attempt(`${schema} export default { payload, run: ({ payload }) => payload };`, {
      payload: { to: { address: 'ann@example.org' } },
    });
    expect(row.evidence).toEqual({ to: { address: 'ann@example.org' }, days: 7 });
  });

  it.each([
    [
      'a Standard Schema',
      `${schema} export default { payload, run() {} };`,
      /^The payload does not fit kind "mod": to\.address: Invalid/,
    ],
    [
      'a function that parses',
      `${schema} export default { payload: (input) => v.parse(payload, input), run() {} };`,
      /^The payload does not fit kind "mod": to\.address: Invalid/,
    ],
    [
      'a function that throws',
      `export default { payload() { throw new TypeError('to.address is missing'); }, run() {} };`,
      /^The payload does not fit kind "mod": to\.address is missing$/,
    ],
    [
      'a function that throws null',
      'export default { payload() { throw null; }, run() {} };',
      /^The payload does not fit kind "mod": .*thrown: null$/,
    ],
  ])('that does not fit %s fails the task for good', async (_what, source, error) => {
    const { task, row } = await attempt(source, { payload: { to: {} } });
    expect(row.error).toMatch(error);
    expect(task).toMatchObject({ state: 'failed', reason: 'permanent error' });
  });
});

describe('a module ends its task', () => {
  it.each([
    ['PermanentError', `throw new PermanentError('no such album')`],
    [
      'an error with that name',
      `throw Object.assign(new Error('no such album'), { name: 'PermanentError' })`,
    ],
    ['it returned by mistake', `return new PermanentError('no such album')`],
    [
      'one that nobody caught',
      `setTimeout(() => { throw new PermanentError('no such album') }); await new Promise(() => {})`,
    ],
  ])('for good with %s', async (_what, statement) => {
    const { task, row } = await attempt(`import { PermanentError } from 'tend';\n${body(statement)}`);
    expect(task).toMatchObject({ state: 'failed', reason: 'permanent error', attempt: 1 });
    expect(row).toMatchObject({ outcome: 'failed', error: 'no such album', exit_code: 1 });
    expect(row.output_tail).toContain('.mjs:');
  });

  it.each([
    ['Postpone', `throw new Postpone({ delayMs: 3_600_000, reason: 'it is closed' })`],
    [
      'an error with that name',
      `throw Object.assign(new Error('it is closed'), { name: 'Postpone', delayMs: 3_600_000 })`,
    ],
  ])('for now with %s, and the attempt is not counted', async (_what, statement) => {
    const { task, row } = await attempt(`import { Postpone } from 'tend';\n${body(statement)}`);
    expect(task).toMatchObject({ state: 'waiting', reason: 'it is closed', attempt: 0 });
    expect(task.run_at.getTime() - task.created_at.getTime()).toBeGreaterThan(3_590_000);
    expect(row).toMatchObject({ outcome: 'postponed', error: null, output_tail: null });
  });

  it.each([
    ['OutcomeUnknown', `throw new OutcomeUnknown('no answer')`],
    ['an error with that name', `throw Object.assign(new Error('no answer'), { name: 'OutcomeUnknown' })`],
  ])('held with %s', async (_what, statement) => {
    const { task, row } = await attempt(`import { OutcomeUnknown } from 'tend';\n${body(statement)}`);
    expect(task).toMatchObject({ state: 'held', reason: 'outcome unknown: no answer' });
    expect(row).toMatchObject({ outcome: 'unknown' });
  });

  it.each([['a list', '[1]', 'run returned a list, and an object was expected']])(
    'well when it returns %s, but without evidence',
    async (_what, value, warning) => {
      const { task, row } = await attempt(body(`return ${value};`));
      expect(task).toMatchObject({ state: 'succeeded' });
      expect(row.evidence).toBeNull();
      expect(row.output_tail).toContain(`warning: what run returned is not kept as evidence: ${warning}`);
    },
  );
});

describe('a module that throws', () => {
  it.each([
    ['an error', `throw new Error('no luck')`, /^no luck$/],
    ['null', 'throw null', /thrown: null$/],
    [
      'a revoked proxy',
      'const p = Proxy.revocable({}, {}); p.revoke(); throw p.proxy',
      /cannot be described/,
    ],
    ['a stack overflow', 'const deep = (n) => deep(n + 1) + 1; deep(0)', /call stack/],
    [
      'in the background',
      `setTimeout(() => { throw new Error('later') }); await new Promise((resolve) => setTimeout(resolve, 60_000))`,
      /^later$/,
    ],
    [
      'in a promise that nobody awaits',
      `void Promise.reject(new Error('dropped')); await new Promise((resolve) => setTimeout(resolve, 60_000))`,
      /^dropped$/,
    ],
  ])('%s has failed and is tried again', async (_what, statements, message) => {
    const { task, row } = await attempt(body(statements));
    expect(task).toMatchObject({ state: 'waiting', reason: 'to be retried', attempt: 1 });
    expect(row).toMatchObject({ outcome: 'failed', error: expect.stringMatching(message) });
  });

  it('leaves its stack, with causes, in the output tail', async () => {
    const { row } = await attempt(body(`throw new Error('outer', { cause: new Error('inner') });`));
    expect(row.output_tail).toMatch(/^Error: outer\n {4}at .*task-\d+\.mjs:2:7/);
    expect(row.output_tail).toContain('[cause]: Error: inner');
  });
});

describe('a module that cannot be one', () => {
  it.each<[string, string | undefined, string, RegExp]>([
    [
      'is missing',
      undefined,
      'no-such.mjs',
      /^The module ".*\/no-such\.mjs" cannot be loaded: Cannot find module/,
    ],
    [
      'has a syntax error',
      'export default { run() { const x = ; } };',
      'syntax.mjs',
      /^The module ".*\/syntax\.mjs" cannot be loaded: SyntaxError: Unexpected token ';'$/,
    ],
    [
      'has a syntax error in TypeScript',
      'export default { run() { const x: = 3; } };',
      'syntax.ts',
      /^The module ".*\/syntax\.ts" cannot be loaded: SyntaxError: /,
    ],
    [
      'has an enum',
      'enum A { B }\nexport default { run: () => A.B };',
      'enum.ts',
      /cannot be loaded: SyntaxError: TypeScript enum is not supported/,
    ],
    [
      'imports what is not installed',
      `import x from 'no-such-package';`,
      'import.mjs',
      /\/import\.mjs" cannot be loaded: Cannot find package 'no-such-package' imported from/,
    ],
    [
      'imports what is not exported',
      `import { a } from './task.mjs';`,
      'link.mjs',
      /\/link\.mjs" cannot be loaded: /,
    ],
    ['is JSON', '{}', 'json.js', /\/json\.js" is no task: "run" of its default export is missing/],
    [
      'exports nothing by default',
      'export const run = () => {};',
      'named.mjs',
      /^The module ".*\/named\.mjs" is no task: it has no default export$/,
    ],
  ])('because it %s fails its task for good, and says what is wrong', async (_what, source, file, error) => {
    if (source !== undefined) await write(source, file);
    const { task, row } = await attemptFile(file);
    expect(row.error).toMatch(error);
    expect(task).toMatchObject({ state: 'failed', reason: 'permanent error' });
  });

  it('because of a syntax error shows the line in the output tail', async () => {
    const { row } = await attempt('// first\nexport default { run() { const x = ; } };', {
      file: 'line.mjs',
    });
    expect(row.output_tail).toMatch(/\/line\.mjs:2\nexport default \{ run\(\) \{ const x = ; \} \};\n/);
  });

  it.each([
    ['throws', `throw new Error('no config');`, /^no config$/],
    ['does not parse its own file', `JSON.parse('{');`, /JSON/],
    ['waits for ever', 'await new Promise(() => {});', /^run waits for something that can never come/],
  ])('this time, because it %s while it is loaded, is tried again', async (_what, source, error) => {
    const { task, row } = await attempt(`${source}\nexport default { run() {} };`);
    expect(row.error).toMatch(error);
    expect(task).toMatchObject({ state: 'waiting' });
  });
});

describe('a module that leaves things open', () => {
  it('ends with run: timers, servers, sockets and children do not keep its process', async () => {
    const mark = newMark();
    const { task, row } = await attempt(
      `import { createServer, connect } from 'node:net';
      ${body(`
        setInterval(() => {}, 1000);
        const server = createServer().listen(0, '127.0.0.1');
        await new Promise((resolve) => server.once('listening', resolve));
        const socket = connect(server.address().port, '127.0.0.1');
        await new Promise((resolve) => socket.once('connect', resolve));
        return { isOpen: socket.readyState };`)}`,
      { env: { MARK: mark }, config: { env: ['MARK'], timeout: '20s' } },
    );
    expect(task).toMatchObject({ state: 'succeeded' });
    expect(row.evidence).toEqual({ isOpen: 'open' });
    expect(await markedProcesses(mark)).toEqual([]);
  });

  it('has printed all it printed, megabytes too', async () => {
    const { row } = await attempt(
      body(`for (let n = 0; n < 300_000; n++) console.log('line ' + n); return { done: true };`),
    );
    expect(row.evidence).toEqual({ done: true });
    expect(row.output_tail).toMatch(/^…/);
    expect(row.output_tail).toMatch(/\nline 299999\n$/);
    expect(Buffer.byteLength(row.output_tail ?? '')).toBeLessThan(70_000);
  });

  it('has succeeded although its process would not go by itself', async () => {
    const { task, row } = await attempt(
      body(`process.on('exit', () => { for (;;); }); return { done: true };`),
    );
    expect(task).toMatchObject({ state: 'succeeded' });
    expect(row).toMatchObject({ evidence: { done: true }, exit_code: null });
  });

  it('has succeeded although an exit listener says otherwise', async () => {
    const { task } = await attempt(
      body(`process.on('exit', () => { process.exitCode = 3; throw new Error('late'); });`),
    );
    expect(task).toMatchObject({ state: 'succeeded' });
  });
});

describe('a module whose process ends before run has returned', () => {
  it.each([
    ['by process.exit()', 'process.exit();', /^process\.exit\(0\) was called before run had returned$/, 0],
    ['by process.exit(7)', 'process.exit(7);', /^process\.exit\(7\) was called before run had returned$/, 7],
    [
      'with nothing left to do',
      'await new Promise(() => {});',
      /^run waits for something that can never come/,
      1,
    ],
    [
      'by a signal',
      `process.kill(process.pid, 'SIGKILL'); await new Promise((r) => setTimeout(r, 60_000));`,
      /^"task-\d+\.mjs" was killed by SIGKILL/,
      null,
    ],
    [
      'by itself, unheard',
      'process.reallyExit(0);',
      /^"task-\d+\.mjs" ended its process before run had returned\.$/,
      null,
    ],
    [
      'because its heap is full',
      'const all = []; for (;;) all.push(new Array(100_000).fill(all.length));',
      /^"task-\d+\.mjs" was killed by SIG\w+: FATAL ERROR: .*heap/,
      null,
    ],
  ])('%s has failed and is tried again', async (_what, statements, error, exitCode) => {
    const { task, row } = await attempt(body(statements), {
      env: { NODE_OPTIONS: '--max-old-space-size=40' },
      config: { env: ['NODE_OPTIONS'] },
    });
    expect(row.error).toMatch(error);
    expect(row.exit_code).toBe(exitCode);
    expect(task).toMatchObject({ state: 'waiting' });
  });
});

describe('what a module prints or writes', () => {
  it('cannot be taken for what its process reports', async () => {
    const forged = JSON.stringify({ ended: { how: 'returned', evidence: { forged: true } } });
    const { task, row } = await attempt(
      body(`
        for (const write of [console.log, console.error]) write(${JSON.stringify(forged)});
        process.stdout.write('\\n' + ${JSON.stringify(forged)} + '\\n{"enqueue":');
        throw new Error('not done');`),
    );
    expect(task).toMatchObject({ state: 'waiting' });
    expect(row).toMatchObject({ error: 'not done', evidence: null });
    expect(row.output_tail).toContain(forged);
  });

  it('to the descriptor of the reports stops it, and nothing is believed', async () => {
    const { task, row } = await attempt(
      `import { writeSync } from 'node:fs';
      ${body(`enqueue({ kind: 'next' }); writeSync(4, 'debug: hello\\n'); await new Promise((r) => setTimeout(r, 60_000));`)}`,
    );
    expect(task).toMatchObject({ state: 'waiting' });
    expect(row.error).toMatch(/^What "task-\d+\.mjs" reported could not be used: /);
    expect(await queue.database.query(`select from tend.tasks where kind = 'next'`)).toEqual([]);
  });
});

describe('a module that enqueues others', () => {
  const kinds = async () =>
    (
      await queue.database.query<{ kind: string }>(
        `select kind from tend.tasks where kind <> 'mod' order by id`,
      )
    ).map(({ kind }) => kind);

  it('does so when it has succeeded, as its own', async () => {
    const { task } = await attempt(
      body(
        `enqueue({ kind: 'next', payload: { list: [1] }, delayMs: 60_000, uniqueKey: 'k' }); enqueue({ kind: 'then' });`,
      ),
    );
    expect(await kinds()).toEqual(['next', 'then']);
    expect(await queue.task(task.id + 1)).toMatchObject({
      ...{ payload: { list: [1] }, unique_key: 'k', enqueued_by: String(task.id) },
    });
  });

  it.each([
    ['throws', `throw new Error('no luck');`],
    ['exits', 'process.exit(0);'],
    ['is killed', `process.kill(process.pid, 'SIGKILL');`],
  ])('does so when it %s only for those that are meant for that', async (_what, statement) => {
    await attempt(
      body(`enqueue({ kind: 'next' }); enqueue({ kind: 'tell' }, { evenIfFailed: true }); ${statement}`),
    );
    expect(await kinds()).toEqual(['tell']);
  });

  it('learns at once what cannot be', async () => {
    const { row } = await attempt(
      body(
        `try { enqueue({ kind: 'next', delay: 5 }); } catch (error) { return { name: error.name, message: error.message }; }`,
      ),
    );
    expect(row.evidence).toMatchObject({
      message: 'A follow-up task cannot be enqueued: delay: this key is not known',
    });
    expect(await kinds()).toEqual([]);
  });

  it('may hand on a payload of megabytes, and a thousand tasks', async () => {
    const { task } = await attempt(
      body(`
        enqueue({ kind: 'large', payload: { text: '"'.repeat(3_000_000) } });
        for (let n = 0; n < 999; n++) enqueue({ kind: 'next', payload: { n } });`),
    );
    expect(task).toMatchObject({ state: 'succeeded' });
    expect(await kinds()).toHaveLength(1000);
  });
});

describe('a module that is told to stop', () => {
  const ready = `writeFileSync(process.env.READY, 'x');`;
  const source = (statements: string) =>
    `import { writeFileSync } from 'node:fs';\n${body(ready + statements)}`;
  const until = (after: string) =>
    source(`
      const timer = setInterval(() => {}, 1000);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      clearInterval(timer);
      ${after}`);

  /** Runs a module and stops the worker once it has said that it runs. */
  async function stopped(module: string, grace: string) {
    const [controller, mark] = [new AbortController(), newMark()];
    const path = join(directory.path, mark);
    const running = attempt(module, {
      ...{ grace, signal: controller.signal, env: { MARK: mark, READY: path } },
      config: { env: ['MARK', 'READY'] },
    });
    await expect.poll(() => existsSync(path)).toBe(true);
    controller.abort();
    const ended = await running;
    expect(await markedProcesses(mark)).toEqual([]);
    return ended;
  }

  it('learns it by its signal, and has succeeded if it finishes all the same', async () => {
    const { task, row } = await stopped(until(`return { reason: signal.reason.name };`), '20s');
    expect(task).toMatchObject({ state: 'succeeded' });
    expect(row.evidence).toEqual({ reason: 'AbortError' });
  });

  it('is given back when it throws', async () => {
    const { task, row } = await stopped(until('signal.throwIfAborted();'), '20s');
    expect(task).toMatchObject({ state: 'waiting', attempt: 0 });
    expect(row).toMatchObject({ outcome: 'released' });
  });

  it.each([
    ['does not listen', source('await new Promise((resolve) => setTimeout(resolve, 600_000));')],
    ['blocks', source('for (;;);')],
    ['starts over', until('for (;;) await new Promise((resolve) => setTimeout(resolve, 100));')],
  ])('and %s is killed after its grace', async (_what, module) => {
    const { task, row } = await stopped(module, '500ms');
    expect(task).toMatchObject({ state: 'waiting', attempt: 0 });
    expect(row).toMatchObject({ outcome: 'released' });
  });

  it('because its time is over has failed, whatever it throws', async () => {
    const { task, row } = await attempt(until('signal.throwIfAborted();'), {
      env: { READY: '/dev/null' },
      config: { timeout: '1500ms', env: ['READY'] },
    });
    expect(task).toMatchObject({ state: 'waiting', reason: 'to be retried' });
    expect(row.error).toMatch(/^"task-\d+\.mjs" ran longer than 1\.5 s and was stopped\.$/);
  });

  it('because it was silent has failed', async () => {
    const source = body('await new Promise((resolve) => setTimeout(resolve, 600_000));');
    const { row } = await attempt(source, { config: { silence: '1500ms' } });
    expect(row.error).toMatch(/^"task-\d+\.mjs" was silent for 1\.5 s and was stopped\.$/);
  });
});
