import { type ByteText, decodeByteText } from './byte-text.ts';
import { charsetName, headerField } from './catalog-header.ts';
import { explainCharset } from './explain-charset.ts';
import { type PluralForms, readPluralForms } from './plural-forms.ts';
import { quoteText } from './quote-text.ts';

export interface HeaderCheck {
  problems: string[];
  warnings: string[];
  /** Undefined without a `Plural-Forms` field, or with a bad one. */
  pluralForms: PluralForms | undefined;
}

/**
 * Checks what programs read when they load the catalog. Python's gettext raises on a charset it does not know or on
 * Plural-Forms it cannot parse, and the application does not start: msgfmt lets both pass.
 */
export function checkHeader(header: ByteText): HeaderCheck {
  const result: HeaderCheck = { problems: [], warnings: [], pluralForms: undefined };
  checkContentType(header, result);
  const value = headerField(header, 'Plural-Forms');
  if (value === undefined) {
    // gettext finds the expression anywhere, other programs only in its field.
    if (header.includes('plural='))
      result.problems.push('the header has a plural expression, but not in a line "Plural-Forms: …"');
    return result;
  }
  const pluralForms = readPluralForms(decodeByteText(value));
  if (typeof pluralForms === 'string') result.problems.push(pluralForms);
  else result.pluralForms = pluralForms;
  return result;
}

const example = '"Content-Type: text/plain; charset=UTF-8\\n"';

function checkContentType(header: ByteText, result: HeaderCheck): void {
  const used = charsetName(header);
  if (used?.endsWith('\r') === true) {
    result.problems.push(
      'the charset ends with "\\r", which programs take for a part of its name: remove it',
    );
    return;
  }
  const lines = header.split('\n').filter((line) => /^[ \t]*content-type[ \t]*:/i.test(line));
  if (lines.length === 0) {
    if (used === undefined) result.warnings.push(`the header has no Content-Type: add ${example}`);
    else result.problems.push(`the header names a charset, but not in a Content-Type line: write ${example}`);
    return;
  }
  for (const line of lines) {
    const shown = quoteText(decodeByteText(line.trim()));
    const name = /[; ]charset=([!-~]+)[ \t\r]*$/.exec(line)?.[1];
    if (name === undefined) {
      result.problems.push(`programs cannot read the charset from ${shown}: write ${example}`);
    } else if (name !== used) {
      result.problems.push(
        `the header names two charsets, ${quoteText(decodeByteText(used ?? ''))} and ${quoteText(decodeByteText(name))}`,
      );
    } else {
      const problem = explainCharset(decodeByteText(name));
      if (problem !== undefined) result.problems.push(problem);
      if (/^utf8$/i.test(name))
        result.warnings.push(
          `"${name}" is not the name of a charset, it is taken as UTF-8: write ${example}`,
        );
    }
  }
}
