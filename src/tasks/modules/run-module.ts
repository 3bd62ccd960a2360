/**
 * The process of one attempt of a module: `node run-module.js /srv/cms/tasks/sync-crm.js`. It is told the task on standard
 * input and reports on descriptor 4 (see `module-report.ts`); standard output and error are the module's own.
 */
import { registerHooks } from 'node:module';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { isNativeError } from 'node:util/types';
import { TendError } from '../../errors.ts';
import { type Log, progressToLog } from '../../log.ts';
import { collectFollowUps } from '../collect-follow-ups.ts';
import { endingOfReturned } from './ending-of-returned.ts';
import { endingOfThrown } from './ending-of-thrown.ts';
import { loadTaskModule } from './load-task-module.ts';
import type { ModuleEnding, ModuleReport, ModuleRequest } from './module-report.ts';
import { parsePayload } from './parse-payload.ts';
import { writeFully } from './write-fully.ts';

const path = process.argv[2] ?? '';
const stop = new AbortController();
let isOver = false;

const { exit } = process;
const line = (prefix: string, message: unknown) =>
  writeFully(2, `${prefix}${typeof message === 'string' ? message : inspect(message)}\n`);
const log: Log = {
  debug: (message) => line('', message),
  info: (message) => line('', message),
  warn: (message) => line('warning: ', message),
};

function report(what: ModuleReport): void {
  writeFully(4, `${JSON.stringify(what)}\n`);
}

/** The first ending counts. Then this process ends, whatever the module has left open. */
function end(ending: ModuleEnding): void {
  if (isOver) return;
  isOver = true;
  report({ ended: ending });
  void flush().then(() => exit(ending.how === 'failed' ? 1 : 0));
}

/** What the module printed is on its way through pipes that are written in the background. */
async function flush(): Promise<void> {
  const written = [process.stdout, process.stderr].map(async (stream) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    stream.write('', () => resolve());
    await promise;
  });
  await Promise.race([Promise.allSettled(written), new Promise((resolve) => setTimeout(resolve, 2000))]);
}

function fail(thrown: unknown): void {
  if (isOver) return;
  const ending = endingOfThrown(thrown);
  // Ours tell what they have to in their message; what led to them is the module's own.
  const isOurs = isNativeError(thrown) && thrown instanceof TendError;
  const cause = isOurs ? thrown.cause : thrown;
  if (isOurs && cause instanceof SyntaxError) {
    crash(ending, cause);
    return;
  }
  if (ending.how !== 'postponed' && !(isOurs && cause === undefined)) describeThrown(cause);
  end(ending);
}

/** Stack and causes, for the output tail. */
function describeThrown(thrown: unknown): void {
  try {
    line('', inspect(thrown).slice(0, 65_536));
  } catch {
    // it cannot be looked at
  }
}

/** Only Node can tell where in a file a syntax error stands, and it does for one that nobody catches. */
function crash(ending: ModuleEnding, error: SyntaxError): void {
  isOver = true;
  report({ ended: ending });
  process.removeAllListeners('uncaughtException');
  setImmediate(() => {
    throw error;
  });
}

async function run(): Promise<unknown> {
  const { task, payload, idempotencyKey }: ModuleRequest = JSON.parse(await text(process.stdin));
  const definition = await loadTaskModule(path);
  const parsed = await parsePayload({ definition, payload, kind: task.kind });
  const { enqueue } = collectFollowUps((followUp) => report({ enqueue: followUp }));
  const progress = progressToLog(log);
  return await definition.run({
    payload: parsed,
    task,
    signal: stop.signal,
    log,
    progress,
    enqueue,
    idempotencyKey,
  });
}

process.on('SIGTERM', () => stop.abort(new DOMException('the task was told to stop', 'AbortError')));
process.on('uncaughtException', fail);
process.on('beforeExit', () => {
  fail(new Error('run waits for something that can never come: nothing is left to do in its process'));
});
process.on('exit', (code) => {
  if (isOver) return;
  isOver = true;
  report({
    ended: {
      how: 'failed',
      message: `process.exit(${code}) was called before run had returned`,
      isPermanent: false,
    },
  });
});

// A project need not have installed this package to import from it: without, it gets the copy that runs it.
registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'tend') return next(specifier, context);
    try {
      return next(specifier, context);
    } catch {
      const url = new URL(import.meta.url.endsWith('.ts') ? '../../index.ts' : './index.js', import.meta.url);
      return { url: url.href, shortCircuit: true };
    }
  },
});
process.argv.splice(1, 2, path);

run().then((returned) => {
  // An error that was returned was meant to be thrown.
  if (isNativeError(returned)) fail(returned);
  else end(endingOfReturned(returned, log.warn));
}, fail);
