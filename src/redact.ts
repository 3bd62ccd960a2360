// The scheme is bounded: unbounded, a long word without blanks costs the square of its length.
const urlPassword = /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/?#@]*:)([^\s@/]+)(@)/gi;
const keyValueSecret =
  /((?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|authorization)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|(?:bearer\s+|basic\s+)?[^\s,;&]+)/gi;

/**
 * Removes secrets from text that is about to be shown or stored: each of `secrets` literally (and in its
 * URL-encoded form), passwords in URLs, and the values of `password=`-like pairs.
 *
 * @param secrets known secret values; those shorter than 4 characters are left to the patterns, since replacing
 *   them everywhere would eat ordinary words.
 */
export function redact(text: string, secrets: Iterable<string> = []): string {
  if (text === '') return text;
  let result = text;
  for (const secret of secrets) {
    if (secret.length < 4) continue;
    result = result.replaceAll(secret, '***');
    const encoded = encodeURIComponent(secret);
    if (encoded !== secret) result = result.replaceAll(encoded, '***');
  }
  return result.replace(urlPassword, '$1***$3').replace(keyValueSecret, '$1***');
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
}
