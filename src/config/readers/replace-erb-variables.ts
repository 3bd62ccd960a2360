/** An environment variable that a value of database.yml stands for. */
export interface ErbVariable {
  name: string;
  /** What stands for it where it is not set; undefined where nothing does. */
  fallback: string | undefined;
}

const name = String.raw`(?<quote>["'])(?<name>[A-Za-z_]\w*)\k<quote>`;
/** A text without escapes and interpolation, a number, or nil. */
const literal = (group: string) =>
  String.raw`(?:"(?<${group}2>[^"\\#]*)"|'(?<${group}1>[^'\\]*)'|(?<${group}0>\d+|nil))`;
const index = String.raw`ENV\[\s*${name}\s*\](?:\s*\|\|\s*${literal('or')})?`;
const fetch = String.raw`ENV\.fetch\(\s*${name.replaceAll('quote', 'mark').replace('<name>', '<key>')}\s*(?:,\s*${literal('second')}\s*)?\)(?:\s*\{\s*${literal('block')}\s*\})?`;
const tag = new RegExp(String.raw`<%=\s*(?:${index}|${fetch})\s*-?%>`, 'g');

/**
 * Replaces what is no more than the reading of a variable: `<%= ENV["X"] %>`, `<%= ENV["X"] || "d" %>`, `<%= ENV.fetch("X") %>`,
 * `<%= ENV.fetch("X", "d") %>` and `<%= ENV.fetch("X") { "d" } %>`. All other ERB is Ruby, which is not run, and stays as it is.
 */
export function replaceErbVariables(text: string, valueOf: (variable: ErbVariable) => string): string {
  return text.replaceAll(tag, (...match) => {
    // the last argument of a replacer is the named groups where the expression has some
    const groups = match.at(-1) as Record<string, string | undefined>;
    const literals = ['or', 'second', 'block'].flatMap((group) =>
      [2, 1, 0].map((kind) => groups[`${group}${kind}`]),
    );
    const found = literals.find((each) => each !== undefined);
    const fallback = found === 'nil' ? '' : found;
    return valueOf({ name: groups.name ?? groups.key ?? '', fallback });
  });
}
