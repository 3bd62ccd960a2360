import type { Config, TaskKindConfig } from '../../config/schema.ts';
import { TendError } from '../../errors.ts';
import type { KindPolicy, TaskHandler, TaskKind } from './handler.ts';

const minute = 60_000;
const hour = 60 * minute;

const defaults: KindPolicy = {
  maxAttempts: 5,
  timeoutMs: hour,
  onLost: 'retry',
  mutex: null,
  maxRunning: null,
  retryBaseMs: 15_000,
  retryCapMs: hour,
};

interface BuiltInKind {
  summary: string;
  policy: Partial<KindPolicy>;
  load(): Promise<TaskHandler>;
}

/** The kinds tend brings along. Each handler, and the heavy packages behind it, is loaded when a task of it runs. */
const builtInKinds: Record<string, BuiltInKind> = {
  backup: {
    summary: 'take a backup set',
    policy: { mutex: 'db', timeoutMs: 12 * hour, retryBaseMs: 5 * minute, maxAttempts: 3 },
    load: async () => (await import('./backup.ts')).backupHandler,
  },
  'verify-backup': {
    summary: 'verify a backup set',
    policy: { timeoutMs: 24 * hour, maxAttempts: 2, retryBaseMs: 5 * minute },
    load: async () => (await import('./verify-backup.ts')).verifyBackupHandler,
  },
  'push-backup': {
    summary: 'copy a backup set to remotes',
    policy: { timeoutMs: 12 * hour, maxAttempts: 10, retryBaseMs: 5 * minute },
    load: async () => (await import('./push-backup.ts')).pushBackupHandler,
  },
  prune: {
    summary: 'remove backup sets that nothing keeps',
    policy: { mutex: 'db', timeoutMs: 2 * hour, maxAttempts: 3, retryBaseMs: 5 * minute },
    load: async () => (await import('./prune.ts')).pruneHandler,
  },
  restore: {
    summary: 'restore a backup set',
    policy: { mutex: 'db', timeoutMs: 24 * hour, maxAttempts: 1, onLost: 'hold', graceMs: 30 * minute },
    load: async () => (await import('./restore.ts')).restoreHandler,
  },
  'compile-translations': {
    summary: 'compile changed message catalogs and install them as one set',
    policy: { mutex: 'app', maxAttempts: 3, graceMs: 30 * minute },
    load: async () => (await import('./compile-translations.ts')).compileTranslations,
  },
  'send-mail': {
    summary: 'send one message',
    policy: { timeoutMs: 10 * minute, maxAttempts: 10, retryBaseMs: minute, retryCapMs: 4 * hour },
    load: async () => (await import('./send-mail.ts')).sendMailHandler(),
  },
  'restart-app': {
    summary: 'restart the application and make sure it is healthy',
    policy: { mutex: 'app', timeoutMs: 10 * minute, maxAttempts: 2, retryBaseMs: minute },
    load: async () => (await import('./restart-app.ts')).restartAppHandler,
  },
  'check-app': {
    summary: 'check that the application is healthy',
    policy: { timeoutMs: 10 * minute, maxAttempts: 2, retryBaseMs: minute },
    load: async () => (await import('./check-app.ts')).checkAppHandler,
  },
  http: {
    summary: 'send a request to an external service',
    policy: { timeoutMs: 10 * minute, retryBaseMs: minute },
    load: async () => (await import('./http.ts')).httpHandler,
  },
  noop: {
    summary: 'do nothing: shows that the queue works',
    policy: { timeoutMs: minute },
    load: async () => (await import('./noop.ts')).noopHandler,
  },
};

/** Every kind this host can run: the built-in ones, and the commands and modules of `[tasks.kinds.*]`. */
export function knownKinds(config: Config): Map<string, TaskKind & { source: 'built-in' | 'config' }> {
  const kinds = new Map<string, TaskKind & { source: 'built-in' | 'config' }>();
  for (const [kind, { summary, policy, load }] of Object.entries(builtInKinds)) {
    kinds.set(kind, {
      kind,
      summary,
      policy: {
        ...defaults,
        ...policy,
        ...(kind === 'send-mail' ? { width: mailWidth(config) } : {}),
        maxRunning: config.tasks.limits[kind] ?? null,
      },
      load: once(load),
      source: 'built-in',
    });
  }
  for (const [kind, own] of Object.entries(config.tasks.kinds)) {
    const policy: KindPolicy = {
      maxAttempts: own.max_attempts,
      // runTool stops the program at its own limit and grace; the attempt's limit stands well behind them.
      timeoutMs: own.timeout + config.tasks.grace + minute,
      onLost: own.on_lost,
      mutex: own.mutex ?? null,
      maxRunning: config.tasks.limits[kind] ?? null,
      retryBaseMs: own.retry_base,
      retryCapMs: own.retry_cap,
    };
    kinds.set(kind, { kind, ...ownHandler(own), policy, source: 'config' });
  }
  return kinds;
}

/** Enough messages at once that every connection is busy while others are composed and recorded. */
function mailWidth({ mail }: Config): number {
  const servers = [mail, ...Object.values(mail.servers)];
  const connections = servers.reduce((sum, server) => sum + server.connections, 0);
  return Math.min(Math.max(connections * 4, 8), 200);
}

function ownHandler(own: TaskKindConfig): Pick<TaskKind, 'summary' | 'load'> {
  const { command, module } = own;
  if (module !== undefined) {
    const load = async () => (await import('./module.ts')).moduleHandler({ ...own, module });
    return { summary: `module ${module}`, load: once(load) };
  }
  if (command === undefined) throw new TendError('BUG', 'A kind has neither a command nor a module.');
  const load = async () => (await import('./command.ts')).commandHandler({ ...own, command });
  return { summary: command.join(' '), load: once(load) };
}

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => (loaded ??= load());
}
