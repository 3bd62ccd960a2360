import { previewRetention } from '../backups/retention/apply-retention.ts';
import type { PrunePlan } from '../backups/retention/plan-prune.ts';
import type { CommandContext } from './command-context.ts';
import { handlerContext, hostName } from './handler-context.ts';

/** What `backup prune` would do; keys of the JSON contract of its `--dry-run`. */
export type PrunePreview = Omit<PrunePlan, 'toRemove'>;

/** Goes as far as retention goes without removing anything. */
export async function previewPrune(
  context: CommandContext,
  options: { olderThanMs: number | undefined; remote: string | undefined },
): Promise<PrunePreview> {
  const shared = await handlerContext(context);
  const { toRemove: _, ...shown } = await previewRetention({
    ...shared,
    ...options,
    host: hostName(context),
    signal: context.signal,
  });
  return shown;
}
