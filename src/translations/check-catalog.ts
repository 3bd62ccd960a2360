import { decodeByteText } from './byte-text.ts';
import { checkHeader } from './check-header.ts';
import { checkMessage } from './check-messages.ts';
import type { Finding } from './findings.ts';
import type { PluralForms } from './plural-forms.ts';
import { isHeader, type PoMessage } from './po-message.ts';

export interface CatalogCheck {
  findings: Finding[];
  /** Those that can be left out to mend the catalog. */
  badMessages: Set<PoMessage>;
}

/**
 * Checks everything but the grammar. `shipped` are the messages that users would see; duplicates are looked for among
 * all, as msgfmt does: a fuzzy or obsolete twin is a merge gone wrong.
 */
export function checkCatalog(messages: readonly PoMessage[], shipped: readonly PoMessage[]): CatalogCheck {
  const result: CatalogCheck = { findings: [], badMessages: new Set() };
  checkDuplicates(messages, result);
  const pluralForms = checkTheHeader(shipped, result);
  for (const message of shipped) {
    const findings = checkMessage(message, pluralForms);
    if (findings.length === 0) continue;
    if (findings.some(({ severity }) => severity === 'error')) result.badMessages.add(message);
    result.findings.push(...findings);
  }
  return result;
}

function checkDuplicates(messages: readonly PoMessage[], result: CatalogCheck): void {
  const first = new Map<string, PoMessage>();
  for (const message of messages) {
    const twin = first.get(message.key);
    if (twin === undefined) {
      first.set(message.key, message);
      continue;
    }
    result.badMessages.add(message);
    const shown = isHeader(message) ? 'the header' : JSON.stringify(decodeByteText(message.id).slice(0, 60));
    const isDroppable = !isHeader(message);
    const text = `duplicate message: ${shown} stands in this catalog already: remove one`;
    result.findings.push({ offset: message.idAt, severity: 'error', text, isDroppable });
    const twinText = `${shown} is defined here first`;
    result.findings.push({ offset: twin.idAt, severity: 'warning', text: twinText, isDroppable });
  }
}

function checkTheHeader(shipped: readonly PoMessage[], result: CatalogCheck): PluralForms | undefined {
  const header = shipped.find(isHeader);
  const firstPlural = shipped.find((message) => message.plural !== undefined);
  const check = header && checkHeader(header.translations[0] ?? '');
  const offset = header?.translationAt ?? 0;
  if (header === undefined && shipped.length > 0) {
    const text = 'the catalog has no header entry: programs take it for ASCII';
    result.findings.push({ offset, severity: 'warning', text, isDroppable: false });
  }
  for (const text of check?.problems ?? []) {
    result.findings.push({ offset, severity: 'error', text, isDroppable: false });
  }
  for (const text of check?.warnings ?? []) {
    result.findings.push({ offset, severity: 'warning', text, isDroppable: false });
  }
  const isSilentOnPlurals = check?.pluralForms === undefined && (check?.problems.length ?? 0) === 0;
  if (firstPlural !== undefined && isSilentOnPlurals) {
    const text =
      'this message has plural forms, but no header says "Plural-Forms: nplurals=NUMBER; plural=EXPRESSION;"';
    result.findings.push({ offset: firstPlural.idAt, severity: 'error', text, isDroppable: false });
  }
  return check?.pluralForms;
}
