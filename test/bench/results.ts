import type { Comparison } from './statistics.ts';

/** A promise with a number in it. */
export interface Claim {
  what: string;
  /** `none` where it is only compared. */
  bound: `${'at most' | 'at least' | 'exactly'} ${number}` | 'none';
  measured: number;
  /** The same from the best of all runs; undefined where there is nothing to choose from. */
  ofMinima: number | undefined;
}

/** What was measured of one subject; each column holds one value a run. */
export interface Measurement {
  subject: string;
  columns: Record<string, number[]>;
}

/** One benchmark's outcome. */
export interface BenchResult {
  title: string;
  /** How it was measured, for a reader who wants to repeat it. */
  method: string;
  claims: Claim[];
  measurements: Measurement[];
}

/** A claim about a ratio. */
export function ratioClaim(what: string, bound: Claim['bound'], comparison: Comparison): Claim {
  return { what, bound, measured: comparison.median, ofMinima: comparison.ofMinima };
}

/** A claim about a count. */
export function countClaim(what: string, count: number, measured: number): Claim {
  return { what, bound: `exactly ${count}`, measured, ofMinima: undefined };
}

/** Whether what was measured keeps what was promised. */
export function isKept({ bound, measured }: Claim): boolean {
  if (bound === 'none') return true;
  const limit = Number(bound.slice(bound.lastIndexOf(' ')));
  if (bound.startsWith('at most')) return measured <= limit;
  if (bound.startsWith('at least')) return measured >= limit;
  return measured === limit;
}
