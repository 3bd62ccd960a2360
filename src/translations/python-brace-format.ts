import { quoteText } from './quote-text.ts';

/** The replacement fields of a string for Python's `str.format`, each as written between its braces. */
export type PythonBraceFields = ReadonlySet<string>;

const name = '[A-Za-z_][A-Za-z_0-9]*';
const field = `(?:${name}|[0-9]+)(?:\\.${name}|\\[(?:${name}|[0-9]+)\\])*`;
const standardSpec = '(?:[\\s\\S][<>=^]|[<>=^])?[-+ ]?#?0?[0-9]*(?:\\.[0-9]*)?[bcdoxXneEfFgG%]?';
const replacement = new RegExp(`\\{(${field}(?::(?:\\{${field}\\}|${standardSpec}))?)\\}`, 'y');

/** Reads a format string of PEP 3101. Doubled braces stand for themselves, and a closing brace alone is let pass. */
export function parsePythonBraceFormat(text: string): PythonBraceFields | string {
  const fields = new Set<string>();
  let at = text.indexOf('{');
  while (at !== -1) {
    if (text[at + 1] === '{') {
      at = text.indexOf('{', at + 2);
      continue;
    }
    replacement.lastIndex = at;
    const found = replacement.exec(text)?.[1];
    if (found === undefined) return `"${text.slice(at, at + 20)}" is not a replacement field`;
    fields.add(found);
    at = text.indexOf('{', replacement.lastIndex);
  }
  return fields;
}

/** What is wrong with a translation that uses these fields, or undefined. */
export function comparePythonBraceFields(
  source: PythonBraceFields,
  translation: PythonBraceFields,
  isStrict: boolean,
): string | undefined {
  if (!isStrict) return undefined;
  for (const used of translation) {
    if (!source.has(used)) return `uses ${quoteText(`{${used}}`)}, which the source text does not have`;
  }
  for (const used of source) {
    if (!translation.has(used)) return `does not use ${quoteText(`{${used}}`)}`;
  }
  return undefined;
}
