import { Buffer } from 'node:buffer';
import { decodeByteText } from '../../src/translations/byte-text.ts';
import { type CompileCatalogOptions, compileCatalog } from '../../src/translations/compile-catalog.ts';
import { formatDiagnostic } from '../../src/translations/findings.ts';
import { readMo } from '../../src/translations/read-mo.ts';

/** A header entry for two plural forms, followed by an empty line: the next line is the sixth. */
export const header = `msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

`;

export interface CompiledText {
  /** Undefined when the catalog is bad. Keys as in the file: EOT behind a context, NUL before a plural. */
  messages: Record<string, string> | undefined;
  /** `line:column: error: message`. */
  diagnostics: string[];
  counts: ReturnType<typeof compileCatalog>['counts'];
}

/** Compiles a catalog given as text (or bytes) and reads the .mo file back; the header is left out of `messages`. */
export function compileText(po: string | Buffer, options: Partial<CompileCatalogOptions> = {}): CompiledText {
  const bytes = typeof po === 'string' ? Buffer.from(po) : po;
  const compiled = compileCatalog({ bytes, file: 'x.po', useFuzzy: false, onBadMessage: 'fail', ...options });
  const entries = compiled.output && readMo(compiled.output.bytes);
  const pairs = entries
    ?.filter(({ key }) => key !== '')
    .map(({ key, value }) => [decodeByteText(key), decodeByteText(value)] as const);
  return {
    messages: pairs && Object.fromEntries(pairs),
    diagnostics: compiled.diagnostics.map((each) => formatDiagnostic(each).replace(/^x\.po:/, '')),
    counts: compiled.counts,
  };
}
