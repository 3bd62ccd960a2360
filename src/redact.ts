// The scheme is bounded: unbounded, a long word without blanks costs the square of its length.
const urlPassword = /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/?#@]*:)([^\s@/]+)(@)/gi;
const keyValueSecret =
  /((?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|authorization)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|(?:bearer\s+|basic\s+)?[^\s,;&]+)/gi;

/** A secret shorter than this is left to the patterns, since replacing it everywhere would eat ordinary words. */
const shortestSecret = 4;

/**
 * Removes secrets from text that is about to be shown or stored: each of `secrets` as it is and as URLs, JSON and HTML
 * write it, passwords in URLs, and the values of `password=`-like pairs.
 */
export function redact(text: string, secrets: Iterable<string> = []): string {
  let result = text;
  for (const secret of secrets) {
    if (secret.length < shortestSecret) continue;
    for (const form of writtenForms(secret)) result = result.replaceAll(form, '***');
  }
  return result.replace(urlPassword, '$1***$3').replace(keyValueSecret, '$1***');
}

/** How others quote a value back: PHP's json_encode, for one, writes `\/` for every slash of a token. */
function writtenForms(secret: string): Set<string> {
  const inUrl = encodeURIComponent(secret.toWellFormed());
  const inJson = JSON.stringify(secret).slice(1, -1);
  const inHtml = secret.replace(/[&<>"']/g, (character) => htmlEntities[character] ?? character);
  return new Set([
    ...[secret, inUrl, inUrl.replaceAll('%20', '+'), inJson, inJson.replaceAll('/', String.raw`\/`)],
    ...[inHtml, inHtml.replaceAll('&#39;', '&#039;')],
  ]);
}

const htmlEntities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** How much of `text` is the rest of a secret whose beginning was cut off with what stood before it. */
function restOfSecret(text: string, secrets: Iterable<string>): number {
  let longest = 0;
  for (const secret of secrets) {
    for (const form of writtenForms(secret)) {
      for (let start = 1; form.length - start >= Math.max(shortestSecret, longest + 1); start += 1) {
        if (text.startsWith(form.slice(start))) longest = form.length - start;
      }
    }
  }
  return longest;
}

/** A growing set of secret values, filled while configuration is read and used by every output path. */
export class SecretRegistry {
  readonly #values = new Set<string>();

  add(value: string | undefined): void {
    if (value !== undefined && value !== '') this.#values.add(value);
  }

  redact(text: string): string {
    return redact(text, this.#values);
  }

  /** As `redact`, for the end of a longer text: what is left at its beginning of a secret that was cut goes too. */
  redactTail(text: string): string {
    return this.redact(text.slice(restOfSecret(text, this.#values)));
  }
}
