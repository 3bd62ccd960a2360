const blocks = '▁▂▃▄▅▆▇█';

/** Numbers as one block character each, by their share of the largest; nothing for fewer than two. */
export function sparkline(values: readonly number[]): string {
  if (values.length < 2) return '';
  const highest = Math.max(...values, 1);
  return values.map((value) => blocks[Math.round((Math.max(0, value) / highest) * 7)] ?? '').join('');
}
