const wrapped = Symbol('markup');

/** HTML that is safe to print: made by `html` alone. */
export interface Markup {
  readonly [wrapped]: string;
}

type Part = string | number | Markup | readonly Part[] | undefined;

/**
 * A template literal whose values are escaped, for text and for quoted attributes alike; markup made here is taken as it is, lists
 * are joined, and undefined is nothing. There is no other way to come by markup.
 */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { [wrapped]: literals.map((literal, index) => literal + print(parts[index])).join('') };
}

/** The text of the markup. */
export function printMarkup(markup: Markup): string {
  return markup[wrapped];
}

function print(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return escape(part);
  return isList(part) ? part.map(print).join('') : part[wrapped];
}

function isList(part: Markup | readonly Part[]): part is readonly Part[] {
  return Array.isArray(part);
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control characters, and those that turn the direction of the text around them, are shown as what they are: nothing. */
function escape(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
    .replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
