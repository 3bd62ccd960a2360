import { string } from '@oclif/core/flags';
import { closestName } from '../closest-name.ts';
import { TendError } from '../errors.ts';
import { knownKinds } from '../tasks/handlers/registry.ts';
import type { Paused } from '../tasks/pause-tasks.ts';
import type { CommandContext } from './command-context.ts';

/** Flags of `tasks pause` and `tasks resume`. */
export const pausedFlags = {
  kind: string({
    summary: 'Tasks of this kind.',
    ...{ multiple: true, multipleNonGreedy: true, helpValue: 'KIND' },
  }),
  queue: string({
    summary: 'Tasks in this queue.',
    ...{ multiple: true, multipleNonGreedy: true, helpValue: 'NAME' },
  }),
};

/** @throws TendError USAGE for a name that no kind or queue can have. */
export function readPaused(flags: { kind?: string[] | undefined; queue?: string[] | undefined }): Paused[] {
  const { kind = [], queue = [] } = flags;
  const wrong = queue.find((name) => name === '' || Buffer.byteLength(name) > 200);
  if (wrong !== undefined) {
    throw new TendError('USAGE', `--queue: "${wrong.slice(0, 60)}" cannot be a queue: 1 to 200 bytes.`);
  }
  return [
    ...kind.map((name) => ({ scope: 'kind', name }) as const),
    ...queue.map((name) => ({ scope: 'queue', name }) as const),
  ];
}

/**
 * A misspelt kind would be a pause that keeps nothing back.
 *
 * @throws TendError KIND_UNKNOWN.
 */
export async function requireKnownKinds(context: CommandContext, paused: readonly Paused[]): Promise<void> {
  const db = await context.openDatabase();
  const rows = await db.selectFrom('tend.kinds').select('kind').execute();
  const known = [...knownKinds(context.config).keys(), ...rows.map(({ kind }) => kind)];
  const unknown = paused.find(({ scope, name }) => scope === 'kind' && !known.includes(name));
  if (unknown === undefined) return;
  const guess = closestName(unknown.name, known);
  const question = guess === undefined ? '' : ` Did you mean "${guess}"?`;
  throw new TendError('KIND_UNKNOWN', `No host knows a kind "${unknown.name}".${question}`);
}
