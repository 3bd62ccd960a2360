import type { ByteText } from './byte-text.ts';

export type Severity = 'error' | 'warning';

/** Something wrong in a catalog, by byte offset: positions are worked out only when somebody wants to see them. */
export interface Finding {
  offset: number;
  severity: Severity;
  text: string;
  /** True where leaving out the one message mends the catalog; false where nothing read from it can be trusted. */
  isDroppable: boolean;
}

/** One line of a compiler's output, as editors and CI systems read it. */
export interface Diagnostic {
  file: string;
  /** From 1. */
  line: number;
  /** From 1, in characters. */
  column: number;
  severity: Severity;
  message: string;
}

/** `file:line:column: error: message`, the form that GCC made common. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, message } = diagnostic;
  const name = file.replace(/[\x00-\x1f\x7f]/g, '?'); // a line each, whatever a file is called
  return `${name}:${line}:${column}: ${severity}: ${message}`;
}

/** Findings with their places in the file, in the order of the file. */
export function locateFindings(findings: readonly Finding[], source: ByteText, file: string): Diagnostic[] {
  const ordered = findings.toSorted((a, b) => a.offset - b.offset);
  const diagnostics: Diagnostic[] = [];
  let line = 1;
  let lineStart = 0;
  for (const { offset, severity, text } of ordered) {
    for (let end = source.indexOf('\n', lineStart); end !== -1 && end < offset; ) {
      line += 1;
      lineStart = end + 1;
      end = source.indexOf('\n', lineStart);
    }
    const column = countCharacters(source, lineStart, offset) + 1;
    diagnostics.push({ file, line, column, severity, message: text });
  }
  return diagnostics;
}

function countCharacters(source: ByteText, from: number, to: number): number {
  let count = 0;
  for (let index = from; index < to; index += 1) {
    const isContinuationByte = (source.charCodeAt(index) & 0xc0) === 0x80;
    if (!isContinuationByte) count += 1;
  }
  return count;
}
