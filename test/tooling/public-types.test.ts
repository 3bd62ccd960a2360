import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as api from '../../src/index.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

let project: TemporaryDirectory;

/** A project that has installed the package, and no types of Node: only those of the language and its `AbortSignal`. */
beforeAll(async () => {
  project = await temporaryDirectory();
  await mkdir(join(project.path, 'node_modules'));
  await symlink(root, join(project.path, 'node_modules/tend'));
  await symlink(join(root, 'node_modules/valibot'), join(project.path, 'node_modules/valibot'));
  await writeFile(join(project.path, 'package.json'), '{ "type": "module" }');
});
afterAll(async () => await project[Symbol.asyncDispose]());

/** What the compiler says of a module in that project, at its strictest. */
async function compile(source: string): Promise<string> {
  await writeFile(join(project.path, 'task.ts'), source);
  const language = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--noEmit'];
  const modules = ['--module', 'nodenext', '--target', 'es2024', '--lib', 'es2024,dom', '--types', ''];
  const args = [tsc, '--ignoreConfig', 'task.ts', ...language, ...modules];
  return await run(process.execPath, args, { cwd: project.path }).then(
    ({ stdout }) => stdout,
    (error: unknown) => (error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)),
  );
}

it('a task in TypeScript is typed from its payload to its evidence', async () => {
  const said = await compile(`
    import { defineTask, type Evidence, type FollowUp, OutcomeUnknown, PermanentError, Postpone } from 'tend';
    import * as v from 'valibot';

    export const made = defineTask({
      payload: (input) => ({ days: Number(input['days']) }),
      async run({ payload, task, signal, log, progress, enqueue, idempotencyKey }) {
        const days: number = payload.days;
        // @ts-expect-error: the payload has no such field
        payload.hours;
        const id: number = task.id;
        const key: string = idempotencyKey;
        log.info(task.kind + task.attempt);
        const length: number = await progress.step('one', async (report) => (report('half'), key.length));
        const next: FollowUp = { kind: 'next', payload: { length }, delayMs: 1000 };
        enqueue(next);
        enqueue({ kind: 'tell', host: '*', uniqueKey: 'k' }, { evenIfFailed: true });
        // @ts-expect-error: a misspelt field
        enqueue({ kind: 'next', delay: 5 });
        if (signal.aborted) throw new Postpone({ delayMs: 5, reason: 'later' });
        if (days < 0) throw new PermanentError('never', { cause: id });
        if (days === 0) throw new OutcomeUnknown('no answer');
        interface Proof {
          days: number;
        }
        const proof: Proof = { days };
        enqueue({ kind: 'next', payload: proof });
        const evidence: Evidence = proof;
        return evidence;
      },
    });

    export const parsed = defineTask({
      payload: v.object({ to: v.optional(v.string(), 'ann') }),
      run({ payload }) {
        const to: string = payload.to;
        // @ts-expect-error: it is a text
        const wrong: number = payload.to;
        return { to, wrong };
      },
    });

    export default defineTask({
      run({ payload }) {
        const anything: unknown = payload['any'];
        void anything;
      },
    });

    // @ts-expect-error: evidence is an object
    defineTask({ run: () => 'done' });
    // @ts-expect-error: limits stand in tend.toml
    defineTask({ timeout: '10m', run() {} });
    // @ts-expect-error: nothing to run
    defineTask({ payload: () => 1 });
  `);
  expect(said).toBe('');
});

it('what is declared is what is there', async () => {
  const names = Object.keys(api).toSorted((a, b) => a.localeCompare(b));
  const built: object = await import(join(root, 'dist/index.js'));
  expect(Object.keys(built).toSorted((a, b) => a.localeCompare(b))).toEqual(names);
  expect(
    await compile(`import { ${names.join(', ')} } from 'tend';\nexport default [${names.join(', ')}];`),
  ).toBe('');
  expect(await compile(`import { nothing } from 'tend';`)).toContain(`has no exported member 'nothing'`);
});
