/** Headers that say what is wanted, not who wants it: their values are ordinary words that must stay readable. */
const harmless = new Set([
  'accept',
  'accept-language',
  'content-language',
  'content-type',
  'cache-control',
  'from',
  'prefer',
  'referer',
  'user-agent',
]);

/** Whether a header of this name may say who we are, so that no host but the one it was meant for may get it. */
export function isSecretHeader(name: string): boolean {
  return !harmless.has(name.toLowerCase());
}

/**
 * What of a configured header must never be shown: the value, of a login (`Bearer …`, `Basic …`) also what follows the
 * scheme, and what base64 hides there.
 */
export function headerSecrets(name: string, value: string): string[] {
  if (!isSecretHeader(name)) return [];
  const [, scheme = '', credentials] = /^([A-Za-z][\w-]*)[ \t]+(\S.*)$/.exec(value) ?? [];
  if (credentials === undefined) return [value];
  if (scheme.toLowerCase() !== 'basic') return [value, credentials];
  const login = Buffer.from(credentials, 'base64').toString('utf8');
  return [value, credentials, login, login.slice(login.indexOf(':') + 1)];
}
