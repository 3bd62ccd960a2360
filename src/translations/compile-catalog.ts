import type { Buffer } from 'node:buffer';
import { checkCatalog } from './check-catalog.ts';
import { type Diagnostic, type Finding, locateFindings } from './findings.ts';
import { type MoEntry, toMoEntries } from './mo-entry.ts';
import { isHeader, type PoMessage } from './po-message.ts';
import { type ReadCatalog, readCatalog } from './read-catalog.ts';
import { messageFate } from './select-messages.ts';
import { writeMo } from './write-mo.ts';

export interface CompileCatalogOptions {
  bytes: Buffer;
  /** Name of the file in diagnostics. */
  file: string;
  useFuzzy: boolean;
  /** With `drop` a bad message is left out and the rest compiled; what is wrong with the whole still fails. */
  onBadMessage: 'fail' | 'drop';
}

/** How many entries a catalog has of each sort; the header is not counted. */
export interface CatalogCounts {
  translated: number;
  fuzzy: number;
  untranslated: number;
  obsolete: number;
  /** Left out because something is wrong with them. */
  dropped: number;
}

export interface CompiledCatalog {
  counts: CatalogCounts;
  diagnostics: Diagnostic[];
  /** Undefined when the catalog is bad. */
  output: { bytes: Buffer; entries: readonly MoEntry[] } | undefined;
}

/** Compiles one .po file in memory: reads, checks, chooses and writes. Bad input is a diagnostic, never an exception. */
export function compileCatalog(options: CompileCatalogOptions): CompiledCatalog {
  const catalog = readCatalog(options.bytes);
  const { shipped, counts } = choose(catalog.messages, options);
  const check = checkCatalog(catalog.messages, shipped);
  const findings = [...catalog.findings, ...check.findings];
  const bad = new Set([...catalog.badMessages, ...check.badMessages]);
  // Without its header a catalog has no charset: that one message cannot be left out.
  const isBad =
    findings.some((finding) => isFatal(finding, options.onBadMessage)) ||
    shipped.some((message) => bad.has(message) && isHeader(message));
  const good = bad.size === 0 ? shipped : shipped.filter((message) => !bad.has(message));
  return {
    counts: countDropped(counts, bad, shipped),
    diagnostics: locate(catalog, findings, options.file),
    output: isBad ? undefined : toOutput(good),
  };
}

function isFatal({ severity, isDroppable }: Finding, onBadMessage: 'fail' | 'drop'): boolean {
  return severity === 'error' && (onBadMessage === 'fail' || !isDroppable);
}

function toOutput(messages: readonly PoMessage[]): NonNullable<CompiledCatalog['output']> {
  const entries = toMoEntries(messages);
  return { bytes: writeMo(entries), entries };
}

function choose(messages: readonly PoMessage[], options: { useFuzzy: boolean }) {
  const counts: CatalogCounts = { translated: 0, fuzzy: 0, untranslated: 0, obsolete: 0, dropped: 0 };
  const shipped: PoMessage[] = [];
  for (const message of messages) {
    const fate = messageFate(message, options);
    if (fate === 'shipped') shipped.push(message);
    else counts[fate] += 1;
  }
  return { shipped, counts };
}

function countDropped(
  counts: CatalogCounts,
  bad: ReadonlySet<PoMessage>,
  shipped: readonly PoMessage[],
): CatalogCounts {
  const messages = shipped.filter((message) => !isHeader(message));
  const dropped = bad.size === 0 ? 0 : messages.filter((message) => bad.has(message)).length;
  return { ...counts, dropped, translated: messages.length - dropped };
}

function locate(catalog: ReadCatalog, findings: readonly Finding[], file: string): Diagnostic[] {
  if (findings.length === 0) return [];
  const inFile = findings.map((each) => ({ ...each, offset: catalog.toFileOffset(each.offset) }));
  return locateFindings(inFile, catalog.source, file);
}
