import { realpathSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { LoadedConfig } from '../config/load-config.ts';
import { TendError } from '../errors.ts';
import { findOwner } from './find-owner.ts';
import type { TickCall } from './tick-call.ts';

/** What the command line says; all of it may be left out. */
export interface TickCallChoices {
  name?: string | undefined;
  user?: string | undefined;
  mailTo?: string | undefined;
}

export interface DescribeTickCallOptions {
  loadedConfig: LoadedConfig;
  choices: TickCallChoices;
  /** Name of the user we run as; undefined where it has none. */
  osUser: string | undefined;
  /** Node, as this process was started. */
  node: string;
  /** tend's `bin/run.js`. */
  entry: string;
}

const searchPath = '/usr/local/bin:/usr/bin:/bin';

/**
 * Finds out how this site is to be called: by this Node and this tend, for its own tend.toml, as the user who owns that file
 * where root asks, else as the one who asks.
 *
 * @throws TendError CONFIG_NOT_FOUND without a tend.toml; USAGE where tend or a value could not be called by a crontab:
 *   a copy in npm's cache, a line break.
 */
export function describeTickCall(options: DescribeTickCallOptions): TickCall {
  const { loadedConfig, choices, osUser, node, entry } = options;
  const { config, baseDirectory } = loadedConfig;
  if (loadedConfig.configPath === undefined) {
    throw new TendError('CONFIG_NOT_FOUND', 'There is no tend.toml here or in a folder above.', {
      hint: 'tend init, or: tend crontab --config FILE',
    });
  }
  const configPath = resolve(loadedConfig.configPath);
  const program = [node, realpathSync(entry)] as const;
  refuseCache(program);
  const call: TickCall = {
    name: choices.name ?? unitName(basename(dirname(configPath))),
    configPath,
    program,
    user: choices.user ?? (osUser === 'root' ? (findOwner(configPath) ?? 'root') : osUser),
    mailTo: choices.mailTo ?? monitorAddress(config.monitor),
    searchPath: withNode(node),
    writablePaths: outermost([
      baseDirectory,
      ...[config.backup.directory, ...config.backup.files, parentOf(config.monitor.metrics_file)]
        .filter((path) => path !== undefined)
        .map((path) => resolve(baseDirectory, path)),
    ]),
  };
  refuseLineBreaks(call);
  return call;
}

/** npx runs from a cache that npm clears: a line in a crontab would stop to work on that day. */
function refuseCache(program: readonly string[]): void {
  const cached = program.find((path) => /[/\\](_npx|_cacache|dlx-[^/]*)[/\\]/.test(path));
  if (cached === undefined) return;
  throw new TendError('USAGE', `A crontab cannot call "${cached}": it is in a cache, which may be cleared.`, {
    hint: 'npm install --global tend, then: tend crontab',
  });
}

function refuseLineBreaks(call: TickCall): void {
  const texts = [call.configPath, ...call.program, ...call.writablePaths, call.user ?? '', call.mailTo ?? ''];
  const broken = texts.find((text) => /[\n\r\0]/.test(text));
  if (broken === undefined) return;
  throw new TendError('USAGE', `A crontab cannot hold ${JSON.stringify(broken)}: it has a line break.`);
}

/** Commands of the site that say `node` find this one where the system has none. */
function withNode(node: string): string {
  const directory = dirname(node);
  return searchPath.split(':').includes(directory) ? searchPath : `${searchPath}:${directory}`;
}

function unitName(folder: string): string {
  const name = folder.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return name.replaceAll(/^-+|-+$/g, '') || 'site';
}

/** `[monitor] mail_to`, an address or several. */
function monitorAddress(monitor: Record<string, unknown>): string | undefined {
  const to = monitor['mail_to'];
  if (typeof to === 'string') return to;
  return Array.isArray(to) && to.length > 0 ? to.join(',') : undefined;
}

function parentOf(path: string | undefined): string | undefined {
  return path === undefined ? undefined : dirname(path);
}

/** Without those that lie in another one. */
function outermost(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)];
  return unique.filter((path) => !unique.some((other) => other !== path && path.startsWith(`${other}/`)));
}
