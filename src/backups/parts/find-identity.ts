import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { TendError, toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { SecretRegistry } from '../../redact.ts';
import { shellWord } from '../../shell-word.ts';
import type { Manifest } from '../sets/manifest.ts';

/** What opens an encrypted set: the secret half of one or more keys. */
export interface Identity {
  path: string;
  /** A pipe, as in `--identity <(pass show key)`, can be read only once. */
  isRegularFile: boolean;
  keys: readonly string[];
  /** The public halves of `keys`, for messages. */
  recipients: readonly string[];
}

export interface FindIdentityOptions {
  manifest: Manifest;
  config: Config;
  baseDirectory: string;
  log: Log;
  /** Every key that is read is added. */
  secrets: SecretRegistry;
}

/** More than any number of keys that somebody has. */
const longestFile = 1024 * 1024;

/**
 * Reads `[backup] identity_file`, where one is named and the set needs one: a set that is not encrypted is read without,
 * whatever is configured.
 *
 * @throws TendError INPUT_MISSING, IDENTITY_INVALID. Nothing of the file is quoted.
 */
export async function findIdentity(options: FindIdentityOptions): Promise<Identity | undefined> {
  const { manifest, config, baseDirectory, log, secrets } = options;
  if (config.backup.identity_file === undefined || !isEncrypted(manifest)) return undefined;
  const path = resolve(baseDirectory, config.backup.identity_file);
  const { text, isRegularFile, mode } = await readText(path);
  if (isRegularFile && (mode & 0o077) !== 0)
    log.warn(`The identity file "${path}" can be read by others: chmod 600 ${shellWord(path)}`);
  const keys = readKeys(text, path);
  for (const key of keys) secrets.add(key);
  const { identityToRecipient } = await import('age-encryption');
  try {
    const recipients = await Promise.all(keys.map(identityToRecipient));
    return { path, isRegularFile, keys, recipients };
  } catch (error) {
    throw unusable(path, 'a key in it is mistyped', 'Compare it with the original.', error);
  }
}

/** Whether a part of the set is encrypted. */
export function isEncrypted(manifest: Manifest): boolean {
  return manifest.parts.some(({ encryption }) => encryption !== 'none');
}

async function readText(path: string): Promise<{ text: string; isRegularFile: boolean; mode: number }> {
  try {
    await using file = await open(path, 'r');
    const found = await file.stat();
    let text = '';
    for await (const chunk of file.createReadStream({ encoding: 'utf8', autoClose: false })) {
      text += String(chunk);
      if (text.length > longestFile) break;
    }
    return { text, isRegularFile: found.isFile(), mode: found.mode };
  } catch (error) {
    const message = `The identity file "${path}" cannot be read: ${toError(error).message}`;
    throw new TendError('INPUT_MISSING', message, { cause: error, isPermanent: true });
  }
}

function readKeys(text: string, path: string): string[] {
  if (/^(age-encryption\.org\/|-----BEGIN AGE ENCRYPTED FILE)/.test(text)) {
    const plain = shellWord(`${path}.key`);
    throw unusable(
      path,
      'it is encrypted with a passphrase, and nobody is asked for one here',
      `Decrypt it, and remove it afterwards: (umask 077; age -d -o ${plain} ${shellWord(path)})`,
    );
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    throw unusable(path, 'it holds an SSH key, and only keys of age can be used', 'age-keygen makes one.');
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const strange = keys.findIndex((key) => !/^AGE-SECRET-KEY-1[A-Z0-9]+$/.test(key));
  if (keys.length > 0 && strange < 0) return keys;
  const what =
    keys.length === 0 ? 'it holds no key' : `its line ${lines.indexOf(keys[strange] ?? '') + 1} is none`;
  throw unusable(path, `${what} ("AGE-SECRET-KEY-1…")`, 'It is the file that age-keygen has written.');
}

function unusable(path: string, why: string, hint: string, cause?: unknown): TendError {
  return new TendError('IDENTITY_INVALID', `The identity file "${path}" cannot be used: ${why}.`, {
    hint,
    cause,
    isPermanent: true,
  });
}
