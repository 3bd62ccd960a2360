// The scheme is bounded: unbounded, a long word without blanks costs the square of its length.
const urlPassword = /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/?#@]*:)([^\s@/]+)(@)/gi;
// An object of JSON under such a key is no secret, but the description of one: the JSON Schema of tend.toml has them.
const keyValueSecret =
  /((?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|authorization)["']?\s*[=:]\s*)(?!\{\s*["}])("[^"]*"|'[^']*'|(?:bearer\s+|basic\s+)?[^\s,;&]+)/gi;

/** A secret shorter than this is left to the patterns, since replacing it everywhere would eat ordinary words. */
const shortestSecret = 4;

/**
 * Removes secrets from text that is about to be shown or stored: each of `known` literally, passwords in URLs, and the
 * values of `password=`-like pairs.
 *
 * @param known what a secret looks like wherever it is quoted, longer ones first: one may be a part of another.
 */
export function redact(text: string, known: readonly string[] = []): string {
  if (text === '') return text;
  let result = text;
  for (const secret of known) result = result.replaceAll(secret, '***');
  return result.replace(urlPassword, '$1***$3').replace(keyValueSecret, '$1***');
}

/** A growing set of secret values, filled while configuration is read and used by every output path. */
export class SecretRegistry {
  readonly #forms = new Set<string>();
  #known: readonly string[] = [];

  add(value: string | undefined): void {
    if (value === undefined || value.length < shortestSecret || this.#forms.has(value)) return;
    for (const form of writtenForms(value)) this.#forms.add(form);
    this.#known = [...this.#forms].sort((left, right) => right.length - left.length);
  }

  redact(text: string): string {
    return redact(text, this.#known);
  }

  /** As `redact`, for the end of a longer text: what is left at its beginning of a secret that was cut goes too. */
  redactTail(text: string): string {
    return this.redact(text.slice(restOfSecret(text, this.#known)));
  }
}

/** How others quote a value back: in URLs, JSON and HTML. PHP's json_encode writes `\/` for every slash of a token. */
function writtenForms(secret: string): string[] {
  const inUrl = encodeURIComponent(secret.toWellFormed());
  const inJson = JSON.stringify(secret).slice(1, -1);
  const inHtml = secret.replace(/[&<>"']/g, (character) => htmlEntities[character] ?? character);
  return [
    ...[secret, inUrl, inUrl.replaceAll('%20', '+'), inJson, inJson.replaceAll('/', String.raw`\/`)],
    ...[inHtml, inHtml.replaceAll('&#39;', '&#039;')],
  ];
}

const htmlEntities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** How much of `text` is the rest of a secret whose beginning was cut off with what stood before it. */
function restOfSecret(text: string, known: readonly string[]): number {
  let longest = 0;
  for (const secret of known) {
    for (let start = 1; secret.length - start >= Math.max(shortestSecret, longest + 1); start += 1) {
      if (text.startsWith(secret.slice(start))) longest = secret.length - start;
    }
  }
  return longest;
}
