import { errorCodeOf } from './translate-database-error.ts';

/** unique_violation, serialization_failure, deadlock_detected: another transaction was first, and can be seen now. */
const conflicts = new Set(['23505', '40001', '40P01']);

/** Whether a statement lost a race against another transaction and may be given again as it was. */
export function isConflict(error: unknown): boolean {
  return conflicts.has(errorCodeOf(error) ?? '');
}

/**
 * Gives a statement again that lost a race: each time it sees what the winner did. For statements that decide anew from
 * what they find; one that would do the same again fails the same way, and after `tries` its error is thrown.
 *
 * @param run is told which try this is, from 1.
 */
export async function repeatOnConflict<T>(run: (attempt: number) => Promise<T>, tries = 10): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run(attempt);
    } catch (error) {
      if (!isConflict(error) || attempt >= tries) throw error;
    }
  }
}
