import type { ClaimedTask } from './claim-due-tasks.ts';

/** Where a worker gets tasks from; an empty answer means that nothing can be claimed now. */
export type ClaimSource = (
  /** At most this many. */
  count: number,
  /** How many of them can start this instant. */
  startable: number,
  /** Kinds that were halted: none of these. */
  exceptKinds: readonly string[],
) => Promise<ClaimedTask[]>;
