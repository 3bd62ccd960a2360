import { TendError } from '../errors.ts';
import type { SecretRegistry } from '../redact.ts';

const reference = /^env:([A-Za-z_][A-Za-z0-9_]*)$/;

export interface ResolveReferenceOptions {
  /** A value of the configuration, which may be `env:NAME`. */
  value: string;
  /** Its key, for the error: `database.url`. */
  key: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
}

/**
 * Reads `env:NAME` from the environment; any other value is itself. What came from a variable is a secret from then
 * on, whole and, if it is a URL, its password too.
 *
 * @throws CONFIG_INVALID naming key and variable where the variable is unset or empty.
 */
export function resolveReference({ value, key, env, secrets }: ResolveReferenceOptions): string {
  const name = reference.exec(value)?.[1];
  if (name === undefined) return value;
  const found = env[name];
  if (found === undefined || found === '') {
    throw new TendError(
      'CONFIG_INVALID',
      `The setting ${key} refers to the environment variable ${name}, which is ${found === '' ? 'empty' : 'not set'}`,
      {
        hint: `set ${name} where tend runs (cron does not read your shell's profile), or change ${key} in tend.toml`,
        isPermanent: false,
      },
    );
  }
  secrets.add(found);
  registerUrlPassword(found, secrets);
  return found;
}

/** Makes the password inside a URL a secret, as written and decoded. */
export function registerUrlPassword(text: string, secrets: SecretRegistry): void {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*?:([^/?#]*)@/i.exec(text)?.[1];
  if (password === undefined) return;
  secrets.add(password);
  try {
    secrets.add(decodeURIComponent(password));
  } catch {
    // not percent-encoded: as written is all there is
  }
}
