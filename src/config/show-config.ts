import type { SecretRegistry } from '../redact.ts';
import type { LoadedConfig } from './load-config.ts';
import { type EffectiveSetting, readOrigins } from './read-origins.ts';
import { secretPaths } from './schema.ts';

/** The settings in force, fit to be shown: what may hold a password is redacted, a reference is shown as written. */
export function showConfig({
  loaded,
  secrets,
}: {
  loaded: LoadedConfig;
  secrets: SecretRegistry;
}): EffectiveSetting[] {
  return readOrigins(loaded).map((setting) => {
    const { key, value } = setting;
    if (typeof value !== 'string') return setting;
    const isSecret = isWhollySecret(key) && !value.startsWith('env:');
    return { ...setting, value: isSecret ? '***' : isSecretPath(key) ? secrets.redact(value) : value };
  });
}

/** The address of a ping is all it takes to send one, and a header may be a login. */
function isWhollySecret(key: string): boolean {
  return key === 'monitor.ping_url' || /^(?:monitor\.pings|http\.headers)\./.test(key);
}

function isSecretPath(key: string): boolean {
  return secretPaths.some((path) => path === key);
}
