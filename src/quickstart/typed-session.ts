import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../processes/find-program.ts';
import { shellWord, shownPath } from './demo-shell.ts';
import type { QuickstartPlaces } from './quickstart-places.ts';

interface SessionOptions {
  cwd: string;
  places: QuickstartPlaces;
  serverDirectory: string;
}

interface PreparationOptions extends SessionOptions {
  env: NodeJS.ProcessEnv;
  tend: readonly [string, ...string[]];
  binaries: string;
}

/** The variables under which the commands of the transcript run. */
export function sessionVariables({ cwd, places, serverDirectory }: SessionOptions): Record<string, string> {
  return {
    TEND_CONFIG: shownPath(cwd, join(places.demo, 'tend.toml')),
    PGHOST: serverDirectory,
    PGUSER: 'cms_owner',
    PGDATABASE: 'cms',
  };
}

/** The command that a person who started this one can type again: many have it by npm only, without an alias. */
export function typedQuickstart(env: NodeJS.ProcessEnv, flag: '--keep' | '--stop'): string {
  return env['npm_lifecycle_event'] === 'quickstart'
    ? `npm run quickstart -- ${flag}`
    : `tend quickstart ${flag}`;
}

/** What a person types first, so that the commands of the transcript do the same in their shell. */
export function typedPreparation(options: PreparationOptions): string[] {
  const { cwd, binaries, env } = options;
  const lines = tendAlias(options);
  if (programOnPath('psql', cwd, env) === undefined) lines.push(`export PATH=$PATH:${shellWord(binaries)}`);
  const { TEND_CONFIG = '', PGHOST = '', ...names } = sessionVariables(options);
  const below = shownPath(cwd, PGHOST);
  lines.push(`export TEND_CONFIG=${shellWord(TEND_CONFIG)}`);
  const words = Object.entries(names).map(([name, value]) => `${name}=${shellWord(value)}`);
  lines.push(`export PGHOST=${below === PGHOST ? '' : '$PWD/'}${shellWord(below)} ${words.join(' ')}`);
  return lines;
}

/** The alias that makes `tend` this very program; none where the one on PATH is it already. */
function tendAlias({ cwd, env, tend }: PreparationOptions): string[] {
  const [node, ...rest] = tend;
  const onPath = programOnPath('tend', cwd, env);
  const own = rest.at(-1) ?? node;
  if (onPath !== undefined && realpathSync(onPath) === realpathSync(own)) return [];
  const words = [nodeAsTyped(node, cwd), ...rest.map((word) => shownPath(cwd, word))];
  return [`alias tend=${shellWord(words.map(shellWord).join(' '))}`];
}

/** Node as npm links it, where that is the same program: shorter to read than where it really is. */
function nodeAsTyped(node: string, cwd: string): string {
  const linked = 'node_modules/.bin/node';
  try {
    if (realpathSync(join(cwd, linked)) === realpathSync(node)) return linked;
  } catch {
    // no such link: as it is
  }
  return shownPath(cwd, node);
}

function programOnPath(file: string, cwd: string, env: NodeJS.ProcessEnv): string | undefined {
  try {
    return findProgram({ file, searchPath: env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', cwd });
  } catch {
    return undefined;
  }
}
