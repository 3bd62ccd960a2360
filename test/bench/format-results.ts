import { type BenchResult, type Claim, isKept, type Measurement } from './results.ts';
import { median } from './statistics.ts';

/** Both tables of a benchmark in Markdown, aligned so that a terminal shows them well. */
export function formatResult({ claims, measurements }: BenchResult): string {
  const promised = claims.length === 0 ? [] : [table(claimRows(claims))];
  return [...promised, ...measurementTables(measurements)].join('\n');
}

function claimRows(claims: readonly Claim[]): string[][] {
  const rows = claims.map((claim) => [
    claim.what,
    claim.bound === 'none' ? '' : claim.bound,
    number(claim.measured),
    claim.ofMinima === undefined ? '' : number(claim.ofMinima),
    verdict(claim),
  ]);
  return [['claim', 'bound', 'median', 'of the minima', ''], ...rows];
}

function verdict(claim: Claim): string {
  if (claim.bound === 'none') return '';
  return isKept(claim) ? 'ok' : '**missed**';
}

/** One table for all subjects with the same columns. */
function measurementTables(measurements: readonly Measurement[]): string[] {
  const groups = Map.groupBy(measurements, ({ columns }) => Object.keys(columns).join());
  return [...groups.values()].map((group) => {
    const names = Object.keys(group[0]?.columns ?? {});
    const rows = group.map(({ subject, columns }) => [
      subject,
      ...names.map((name) => spread(name, columns[name] ?? [])),
    ]);
    const isRepeated = group.some(({ columns }) => Object.values(columns).some(({ length }) => length > 1));
    return table([[isRepeated ? 'median (best)' : 'counted', ...names], ...rows]);
  });
}

function spread(name: string, values: readonly number[]): string {
  if (values.length === 1) return number(median(values));
  const best = name.startsWith('tasks/s') ? Math.max(...values) : Math.min(...values);
  return `${number(median(values))} (${number(best)})`;
}

function number(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}

function table(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(3, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return `${[line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')}\n`;
}
