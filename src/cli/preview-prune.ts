import type { KeptDecision } from '../backups/cut-over/plan-old-replaced.ts';
import { previewRetention } from '../backups/retention/apply-retention.ts';
import type { PrunePlan } from '../backups/retention/plan-prune.ts';
import { previewKeptDatabases } from '../backups/retention/prune-kept-databases.ts';
import type { CommandContext } from './command-context.ts';
import { handlerContext, hostName } from './handler-context.ts';

/** What `backup prune` would do; keys of the JSON contract of its `--dry-run`. */
export interface PrunePreview extends Omit<PrunePlan, 'toRemove'> {
  /** What restores have kept; none where it is about a remote. */
  databases: KeptDecision[];
}

/** Goes as far as retention goes without removing anything. */
export async function previewPrune(
  context: CommandContext,
  options: { olderThanMs: number | undefined; remote: string | undefined },
): Promise<PrunePreview> {
  const shared = await handlerContext(context);
  const about = { ...shared, ...options, host: hostName(context), signal: context.signal };
  const { toRemove: _, ...shown } = await previewRetention(about);
  return { ...shown, databases: options.remote === undefined ? await previewKeptDatabases(about) : [] };
}
