/** Why a program was stopped before its end. */
export type StopReason =
  | { kind: 'aborted' }
  | { kind: 'timeout' | 'silence'; limitMs: number }
  | { kind: 'input-failed' | 'output-failed' | 'report-refused'; error: Error };

export interface ToolLimits extends Disposable {
  /** Aborts when the caller's signal does, or a limit passes. */
  signal: AbortSignal;
  /** The program wrote, or took some of its input. */
  noteProgress(): void;
  /** Stops the program now; the first reason stands. */
  stop(reason: StopReason): void;
  reason(): StopReason | undefined;
  /** On the clock of `performance.now()`; undefined while nothing stops the program. */
  stoppedAtMs(): number | undefined;
}

/** What setTimeout can hold; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Joins the caller's signal with a wall-clock limit and a limit on silence. */
export function startToolLimits(options: {
  signal: AbortSignal;
  timeoutMs?: number;
  silenceMs?: number;
}): ToolLimits {
  const controller = new AbortController();
  let reason: StopReason | undefined;
  let stoppedAtMs: number | undefined;
  const stop = (why: StopReason) => {
    reason ??= why;
    stoppedAtMs ??= performance.now();
    controller.abort();
  };
  const onAbort = () => stop({ kind: 'aborted' });
  options.signal.addEventListener('abort', onAbort, { once: true });
  const limit = (kind: 'timeout' | 'silence', limitMs: number | undefined) =>
    limitMs === undefined
      ? undefined
      : setTimeout(() => stop({ kind, limitMs }), Math.min(limitMs, longestTimerMs));
  const wall = limit('timeout', options.timeoutMs);
  const silence = limit('silence', options.silenceMs);
  return {
    signal: controller.signal,
    noteProgress: () => silence?.refresh(),
    stop,
    reason: () => reason,
    stoppedAtMs: () => stoppedAtMs,
    [Symbol.dispose]() {
      clearTimeout(wall);
      clearTimeout(silence);
      options.signal.removeEventListener('abort', onAbort);
    },
  };
}
