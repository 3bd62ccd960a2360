/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}

/** Two series measured in turn, A B A B …, compared. */
export interface Comparison {
  /** Median of the ratios pair by pair: what slows the machine for a while slows both of a pair. */
  median: number;
  /** Best of one against best of the other: what is left when nothing disturbs. */
  ofMinima: number;
}

/** How many times as much `left` takes as `right`. */
export function compare(left: readonly number[], right: readonly number[]): Comparison {
  return {
    median: median(left.map((value, index) => value / (right[index] ?? Number.NaN))),
    ofMinima: Math.min(...left) / Math.min(...right),
  };
}
