import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { askUrl } from '../app/ask-url.ts';
import { parseIni } from '../config/readers/ini-file.ts';
import type { FoundService } from './find-service.ts';
import type { Finding } from './finding.ts';
import { readIfReadable } from './list-directory.ts';

export interface FindHealthCheckOptions {
  folder: string;
  /** The .ini that the database settings come from, if they do. */
  iniName: string | undefined;
  service: FoundService | undefined;
  signal: AbortSignal;
}

export interface FoundHealthCheck {
  /** A URL that answered 200. */
  check: Finding<string> | undefined;
  /** A port that the application's settings name, whoever answers there. */
  port: Finding<number> | undefined;
}

/** What frameworks call it; Rails has `/up`. */
const healthPaths = ['/health', '/healthz', '/up', '/_health', '/ping'];
const patienceMs = 2000;

/**
 * Finds the port of the application in its own settings, never by guessing: another application may listen on a usual one.
 * Then asks the usual health pages there, on the loopback address alone.
 */
export async function findHealthCheck(options: FindHealthCheckOptions): Promise<FoundHealthCheck> {
  const port = await findPort(options);
  if (port === undefined) return { check: undefined, port };
  for (const path of healthPaths) {
    const url = `http://127.0.0.1:${port.value}${path}`;
    const problem = await askUrl({ url, status: 200, timeoutMs: patienceMs, signal: options.signal });
    if (problem === undefined) {
      return { check: { value: url, why: `It answered 200 just now. ${port.why}` }, port };
    }
    if (/cannot be reached|gave no answer/.test(problem)) break;
  }
  return { check: undefined, port };
}

async function findPort(options: FindHealthCheckOptions): Promise<Finding<number> | undefined> {
  const { folder, iniName, service } = options;
  if (service !== undefined) {
    const port = portOfCommand(service.commandLine);
    if (port !== undefined) return { value: port, why: `Port ${port} is that of ${service.file}.` };
  }
  const ini = iniName === undefined ? undefined : await readIfReadable(join(folder, iniName));
  if (iniName !== undefined && ini !== undefined) {
    const port = portOfIni(ini, iniName);
    if (port !== undefined) return { value: port, why: `Port ${port} is that of ${iniName} [server:main].` };
  }
  const env = await readIfReadable(join(folder, '.env'));
  const port = validPort(env === undefined ? undefined : parseEnv(env)['PORT']);
  return port === undefined ? undefined : { value: port, why: `Port ${port} is PORT of .env.` };
}

/** gunicorn's and uvicorn's ways to name it. */
function portOfCommand(commandLine: string): number | undefined {
  return validPort(
    /(?:-b|--bind|-p|--port)[= ]\s*(?:[\w.*[\]:-]+:)?(\d{2,5})(?=\s|$)/.exec(commandLine)?.[1],
  );
}

/** waitress' `port = 6543`, or `listen = localhost:6543 [::1]:6543`. */
function portOfIni(content: string, path: string): number | undefined {
  try {
    const server = parseIni(content, path).get('server:main');
    const listen = /:(\d{2,5})(?=\s|$)/.exec(server?.get('listen')?.text ?? '')?.[1];
    return validPort(server?.get('port')?.text ?? listen);
  } catch {
    return undefined; // whether the file is right is for the reader of the database settings to say
  }
}

function validPort(text: string | undefined): number | undefined {
  const port = /^\d{2,5}$/.test(text ?? '') ? Number(text) : 0;
  return port > 0 && port < 65_536 ? port : undefined;
}
