import { formatBytes } from '../../format-bytes.ts';

const intervalMs = 1000;

/** How somebody who watches is told how far something has come. */
export interface BytesReport {
  /** Replaces what was told before. */
  report: (detail: string) => void;
  /** How many there will be, as far as that is known beforehand. */
  expectedBytes: number;
}

/** Tells once a second how many bytes have passed of how many, until it is disposed of. */
export function reportBytes(meter: { readonly bytes: number }, told: BytesReport | undefined): Disposable {
  if (told === undefined) return { [Symbol.dispose]() {} };
  const { report, expectedBytes } = told;
  let before = 0;
  const timer = setInterval(() => {
    if (meter.bytes === before) return;
    before = meter.bytes;
    report(describeBytes(before, expectedBytes));
  }, intervalMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** `1.2 GB of about 4.0 GB (30 %)`; an estimate that was passed is no estimate. */
export function describeBytes(bytes: number, expectedBytes: number): string {
  if (bytes > expectedBytes) return formatBytes(bytes);
  const percent = expectedBytes === 0 ? 100 : Math.floor((bytes / expectedBytes) * 100);
  return `${formatBytes(bytes)} of about ${formatBytes(expectedBytes)} (${percent} %)`;
}
