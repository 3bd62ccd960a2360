import { fingerprint } from '../fingerprint.ts';
import { type Diagnostic, formatDiagnostic } from './findings.ts';

/** How diagnostics are written: for editors and people, or as the annotations of a CI service. */
export const diagnosticFormats = ['gcc', 'github', 'gitlab'] as const;
export type DiagnosticFormat = (typeof diagnosticFormats)[number];

/** Lines for stdout. `gitlab` is one JSON document, also where nothing is wrong. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], format: DiagnosticFormat): string[] {
  switch (format) {
    case 'gcc':
      return diagnostics.map(formatDiagnostic);
    case 'github':
      return diagnostics.map(toWorkflowCommand);
    case 'gitlab':
      return [JSON.stringify(toCodeQuality(diagnostics), null, 2)];
  }
}

/** A workflow command of GitHub Actions: in properties `:` and `,` are escaped, too. */
function toWorkflowCommand({ file, line, column, severity, message }: Diagnostic): string {
  return `::${severity} file=${escapeProperty(file)},line=${line},col=${column}::${escapeData(message)}`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/**
 * GitLab's Code Quality report. A fingerprint stays when lines are added above, so that GitLab knows an old problem
 * from a new one; equal problems of a file are numbered.
 */
function toCodeQuality(diagnostics: readonly Diagnostic[]): object[] {
  const seen = new Map<string, number>();
  return diagnostics.map(({ file, line, severity, message }) => {
    const same = JSON.stringify([file, severity, message]);
    const number = (seen.get(same) ?? 0) + 1;
    seen.set(same, number);
    return {
      description: message,
      check_name: 'tend compile-translations',
      fingerprint: fingerprint([same, number]),
      severity: severity === 'error' ? 'major' : 'minor',
      location: { path: file, lines: { begin: line } },
    };
  });
}
