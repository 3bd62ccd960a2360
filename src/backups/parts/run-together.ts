export interface RunTogetherOptions {
  signal: AbortSignal;
  /**
   * The streams and pipes between the members. When one member has failed they are closed: whoever writes into one that nobody
   * reads any more would wait for ever.
   */
  joints: readonly { destroy(): void }[];
  members: readonly ((signal: AbortSignal) => Promise<unknown>)[];
}

/**
 * Runs the members of a pipeline side by side and waits for all of them. The first that fails stops the others, and
 * its error is the one that is thrown: the others only say that they were stopped.
 */
export async function runTogether({ signal, joints, members }: RunTogetherOptions): Promise<void> {
  signal.throwIfAborted();
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const closeJoints = () => {
    for (const joint of joints) joint.destroy();
  };
  both.addEventListener('abort', closeJoints, { once: true });
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
  both.removeEventListener('abort', closeJoints);
  signal.throwIfAborted();
  if (first !== undefined) throw first.error;
}
