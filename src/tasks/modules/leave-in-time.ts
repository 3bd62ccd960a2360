/** What a process may take to end after `run` has returned, before it is killed: an exit listener may block. */
const leaveMs = 5000;

/** Aborts, urgently, when the process is still there some seconds after it reported how `run` ended. */
export function leaveInTime(): Disposable & { signal: AbortSignal; start(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: controller.signal,
    start() {
      const reason = Object.assign(new Error('its process did not end'), { isUrgent: true });
      timer = setTimeout(() => controller.abort(reason), leaveMs);
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
