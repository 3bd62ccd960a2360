/** Why a running attempt is told to stop; the `reason` of its abort signal. */
export type StopKind = 'worker-stopping' | 'cancel-requested' | 'timed-out' | 'lease-lost';

export class AttemptStopped extends Error {
  readonly kind: StopKind;
  /** True where there is no time for a grace period: somebody else may start the same work. */
  readonly isUrgent: boolean;

  constructor(kind: StopKind, message: string) {
    super(message);
    this.name = 'AttemptStopped';
    this.kind = kind;
    this.isUrgent = kind === 'lease-lost';
  }
}

/** The stop reason of an aborted signal; undefined while it is not aborted. */
export function stopKindOf(signal: AbortSignal): StopKind | undefined {
  if (!signal.aborted) return undefined;
  return signal.reason instanceof AttemptStopped ? signal.reason.kind : 'worker-stopping';
}
