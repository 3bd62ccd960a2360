import type { SecretRegistry } from '../redact.ts';

/**
 * The one JSON object of a command. Every text in it passes the redaction; a whole number too large for JSON becomes
 * a string, a time becomes ISO 8601 in UTC.
 */
export function formatJson(value: object, secrets: SecretRegistry): string {
  return JSON.stringify(
    value,
    (_key, item: unknown) => {
      if (typeof item === 'string') return secrets.redact(item);
      if (typeof item === 'bigint')
        return Number.isSafeInteger(Number(item)) ? Number(item) : item.toString();
      return item;
    },
    2,
  );
}
