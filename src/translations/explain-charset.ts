import { findCharset } from './charsets.ts';
import { quoteText } from './quote-text.ts';

const example = '"Content-Type: text/plain; charset=UTF-8\\n"';

/** Why a catalog with this charset in its header cannot be read, and what to do; undefined where it can be. */
export function explainCharset(name: string): string | undefined {
  if (findCharset(name) !== undefined) return undefined;
  const problem = `the charset ${quoteText(name)} cannot be read`;
  if (name === 'CHARSET')
    return `${problem}: it is what templates have in its place. Save the file as UTF-8 and write ${example}`;
  const bare = name.replaceAll(/[^A-Za-z0-9_.:-]/g, '');
  const isMisspelt = bare !== name && findCharset(bare) !== undefined;
  if (isMisspelt) return `${problem}: write charset=${bare} with nothing around it`;
  return `${problem}: convert the file with \`msgconv -t UTF-8\`, or save it as UTF-8 and write ${example}`;
}
