import { countOf } from '../count-of.ts';
import { TendError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Diagnostic, formatDiagnostic } from './findings.ts';

/** `checked`: compiled without an error, but not installed. */
export type CatalogResult = 'installed' | 'unchanged' | 'failed' | 'checked';

/** What became of one catalog; part of the JSON contract. Counts are null where it was known without reading it. */
export interface CatalogReport {
  path: string;
  output: string;
  locale: string;
  result: CatalogResult;
  translated: number | null;
  fuzzy: number | null;
  untranslated: number | null;
  obsolete: number | null;
  /** Messages left out because something is wrong with them. */
  dropped: number | null;
  /** What users will see that they did not: against the live .mo file, null where that cannot be read. */
  added: number | null;
  changed: number | null;
  removed: number | null;
  /** Whether the live .mo file was another than the one that was installed: somebody else had written it. */
  isForeign: boolean;
  /** Errors and warnings, in the order of the file. */
  errors: Diagnostic[];
}

export interface CompileReport {
  catalogs: CatalogReport[];
  installed: number;
  unchanged: number;
  failed: number;
  /** Messages of all catalogs that are not null there. */
  translated: number;
  fuzzy: number;
  untranslated: number;
  obsolete: number;
  /** Left out because something is wrong with them. */
  dropped: number;
  added: number;
  changed: number;
  removed: number;
}

type Total =
  | 'translated'
  | 'fuzzy'
  | 'untranslated'
  | 'obsolete'
  | 'dropped'
  | 'added'
  | 'changed'
  | 'removed';

export function summarize(catalogs: CatalogReport[]): CompileReport {
  const count = (result: CatalogResult) => catalogs.filter((catalog) => catalog.result === result).length;
  const sum = (name: Total) => catalogs.reduce((total, catalog) => total + (catalog[name] ?? 0), 0);
  return {
    catalogs,
    installed: count('installed'),
    unchanged: count('unchanged'),
    failed: count('failed'),
    translated: sum('translated'),
    fuzzy: sum('fuzzy'),
    untranslated: sum('untranslated'),
    obsolete: sum('obsolete'),
    dropped: sum('dropped'),
    added: sum('added'),
    changed: sum('changed'),
    removed: sum('removed'),
  };
}

/** 65 when a catalog is bad, 3 when messages were left out of good ones, else 0. */
export function compileExitCode({ failed, dropped }: CompileReport): number {
  if (failed > 0) return exitCodes.badData.code;
  return dropped > 0 ? exitCodes.someFailed.code : exitCodes.ok.code;
}

/** Of all catalogs, in their order. */
export function diagnosticsOf({ catalogs }: CompileReport): Diagnostic[] {
  return catalogs.flatMap(({ errors }) => errors);
}

/** All diagnostics, one a line, as a compiler prints them. */
export function diagnosticLines(report: CompileReport): string[] {
  return diagnosticsOf(report).map(formatDiagnostic);
}

/** One sentence for a person. */
export function describeReport(report: CompileReport): string {
  const { catalogs, installed, unchanged, failed, dropped } = report;
  const total = countOf(catalogs.length, 'message catalog');
  if (failed > 0) {
    const rest =
      installed > 0
        ? `${countOf(installed, 'other')} ${installed === 1 ? 'was' : 'were'} installed.`
        : 'nothing was installed.';
    return `${failed} of ${total} ${failed === 1 ? 'is' : 'are'} bad: ${rest}`;
  }
  const checked = catalogs.length - installed - unchanged;
  const parts = checked > 0 ? [`${checked} good`] : [`${installed} installed`, `${unchanged} unchanged`];
  if (dropped > 0) parts.push(`${countOf(dropped, 'bad message')} left out`);
  return `${total}: ${parts.join(', ')}.`;
}

/** For a task: bad catalogs as an error, with all that is wrong in its details. Trying again changes nothing. */
export function badCatalogsError(report: CompileReport): TendError {
  return new TendError('CATALOG_INVALID', describeReport(report), {
    details: diagnosticLines(report).join('\n'),
    hint: 'tend compile-translations --check',
    isPermanent: true,
  });
}
