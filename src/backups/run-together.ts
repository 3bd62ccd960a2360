/**
 * Runs the members of a pipeline side by side and waits for all of them. The first that fails stops the others, and
 * its error is the one that is thrown: the others only say that they were stopped.
 */
export async function runTogether(
  signal: AbortSignal,
  members: readonly ((signal: AbortSignal) => Promise<unknown>)[],
): Promise<void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let first: { error: unknown } | undefined;
  await Promise.all(
    members.map(async (member) => {
      try {
        await member(both);
      } catch (error) {
        first ??= { error };
        stop.abort();
      }
    }),
  );
  signal.throwIfAborted();
  if (first !== undefined) throw first.error;
}
