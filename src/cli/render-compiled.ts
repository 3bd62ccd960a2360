import {
  type CatalogReport,
  type CompileReport,
  compileExitCode,
  describeReport,
  diagnosticsOf,
} from '../translations/compile-report.ts';
import { type DiagnosticFormat, formatDiagnostics } from '../translations/format-diagnostics.ts';
import type { UndoReport } from '../translations/undo-translations.ts';
import type { Output } from './output.ts';

/** Diagnostics on stdout, where editors and CI systems look for them; the table is for a terminal only. */
export function renderCompiled(report: CompileReport, output: Output, format: DiagnosticFormat): void {
  for (const line of formatDiagnostics(diagnosticsOf(report), format)) output.print(line);
  if (output.isTerminal && !output.isQuiet && format === 'gcc') printTable(report, output);
  const summary = describeReport(report);
  if (compileExitCode(report) !== 0) output.warn(summary);
  else if (format !== 'gitlab') output.summary(summary); // which is one JSON document
}

export function renderUndone({ restored, removed }: UndoReport, output: Output): void {
  if (restored.length + removed.length === 0) {
    output.summary('The former message catalogs are back already.');
    return;
  }
  const parts = [`${restored.length} put back`];
  if (removed.length > 0) parts.push(`${removed.length} removed, which were new`);
  output.summary(`Former message catalogs: ${parts.join(', ')}.`);
}

function printTable({ catalogs }: CompileReport, output: Output): void {
  const rows = catalogs.filter(({ result }) => result !== 'unchanged').map(toRow);
  if (rows.length === 0) return;
  const right = (title: string) => ({ title, align: 'right' as const });
  output.table(
    ['LOCALE', 'RESULT', 'DONE', right('FUZZY'), right('EMPTY'), 'SINCE THE LIVE FILE', 'CATALOG'],
    rows,
  );
}

function toRow(catalog: CatalogReport): string[] {
  const { locale, result, fuzzy, untranslated, path } = catalog;
  const cells = [locale, result, completeness(catalog), fuzzy, untranslated, difference(catalog), path];
  return cells.map((cell) => String(cell ?? ''));
}

const barWidth = 10;

/** `████████░░  83 %`: how much of the catalog users see. All of it only where that is so. */
export function completeness(
  counts: Pick<CatalogReport, 'translated' | 'fuzzy' | 'untranslated' | 'dropped'>,
): string {
  const { translated } = counts;
  if (translated === null) return '';
  const total = translated + (counts.fuzzy ?? 0) + (counts.untranslated ?? 0) + (counts.dropped ?? 0);
  const share = total === 0 ? 1 : translated / total;
  const filled = Math.floor(share * barWidth);
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %`;
}

/** `+12 ~3 -1`: added, changed, removed. */
function difference({ added, changed, removed }: CatalogReport): string {
  if (added === null || changed === null || removed === null) return 'unreadable';
  const parts = [
    [added, '+'],
    [changed, '~'],
    [removed, '-'],
  ] as const;
  const shown = parts.filter(([count]) => count > 0).map(([count, sign]) => `${sign}${count}`);
  return shown.join(' ') || 'same';
}
