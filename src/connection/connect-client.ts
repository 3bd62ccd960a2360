import { Socket } from 'node:net';
import type pg from 'pg';
import { MissingPasswordError, serverConfigs } from './client-configs.ts';
import type { ConnectionSettings, ServerAddress } from './settings.ts';
import { fitsTarget, TargetMismatchError, targetPasses } from './target-session.ts';

export interface ConnectClientOptions {
  settings: ConnectionSettings;
  /** What the session adds: `application_name`, time-outs, another `database`. */
  config?: pg.ClientConfig;
  signal?: AbortSignal | undefined;
}

/**
 * Opens one session on the first server that answers and fits `target_session_attrs`, by libpq's rules: a server that
 * does not answer, is starting or does not fit leads to the next one; one that refuses the user or the database ends
 * the search. The caller ends the client. That it broke off is told by what is asked of it next, and by its `error` event to
 * those who listen; nobody has to.
 *
 * @throws what node-postgres throws, untranslated; an AggregateError of it where several servers failed.
 */
export async function connectClient(options: ConnectClientOptions): Promise<pg.Client> {
  const { settings, signal } = options;
  const { default: driver } = await import('pg');
  const errors: unknown[] = [];
  for (const target of targetPasses(settings.targetSessionAttrs)) {
    for (const server of settings.servers) {
      signal?.throwIfAborted();
      try {
        const client = await connectToServer(driver, server, options);
        const fits = await fitsTarget(client, target).catch((error: unknown) => {
          client.end().catch(() => {});
          throw error;
        });
        if (fits) return client;
        await client.end();
        errors.push(new TargetMismatchError(server, target));
      } catch (error) {
        signal?.throwIfAborted();
        errors.push(error);
        if (isFinal(driver, error)) throw error;
      }
    }
  }
  if (errors.length === 1) throw errors[0];
  throw new AggregateError(
    errors,
    errors.map((error) => (error instanceof Error ? error.message : error)).join('; '),
  );
}

/** Tries the server encrypted and plain, in the order and on the conditions of its sslmode. */
async function connectToServer(
  driver: typeof pg,
  server: ServerAddress,
  { settings, config, signal }: ConnectClientOptions,
): Promise<pg.Client> {
  const errors: unknown[] = [];
  for (const serverConfig of serverConfigs(settings, server)) {
    signal?.throwIfAborted();
    try {
      return await connectOnce(driver, { ...serverConfig, ...config }, signal);
    } catch (error) {
      errors.push(error);
      if (isUnanswered(error)) break;
    }
  }
  throw errors.find((error) => error instanceof driver.DatabaseError) ?? errors.at(-1);
}

async function connectOnce(
  driver: typeof pg,
  config: pg.ClientConfig,
  signal?: AbortSignal,
): Promise<pg.Client> {
  const socket = new Socket();
  const client = new driver.Client({ ...config, stream: () => socket });
  const stop = () => socket.destroy();
  // For good: without a listener the event of a connection that breaks off between two owners would end the process.
  client.on('error', () => {});
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await client.connect();
    return client;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Nobody was there, so the same server need not be asked again without TLS. */
function isUnanswered(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.every(isUnanswered);
  if (error.message === 'timeout expired') return true;
  return 'syscall' in error && (error.syscall === 'connect' || error.syscall === 'getaddrinfo');
}

/** The server answered and refuses for good; one that is starting or stopping (57P01 to 57P03) lets another one try. */
function isFinal(driver: typeof pg, error: unknown): boolean {
  if (error instanceof MissingPasswordError) return true;
  return error instanceof driver.DatabaseError && error.code?.startsWith('57P0') !== true;
}
