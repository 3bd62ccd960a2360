/** Where time comes from, so that tests can hold it. Database time, not this clock, decides what is due. */
export interface Clock {
  /** Wall-clock time of this host. */
  now(): Date;
  /** Milliseconds that never go back, for measuring durations and lease deadlines. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  // not performance.now(), which loads node:perf_hooks, of no use to an idle tick
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
};
