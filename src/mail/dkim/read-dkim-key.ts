import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { TendError } from '../../errors.ts';

export interface DkimKey {
  algorithm: 'rsa-sha256' | 'ed25519-sha256';
  key: KeyObject;
}

/** Parsed keys, by file: a drain signs thousands of messages with one. */
const known = new Map<string, DkimKey>();

/**
 * The private key of `[mail.dkim] key_file`: RSA of 1024 bits or more, as receivers demand (RFC 8301 §3.2), or Ed25519
 * (RFC 8463), in PEM. Read once per process.
 *
 * @throws TendError MAIL_NOT_CONFIGURED naming the file, never what is in it.
 */
export async function readDkimKey(file: string): Promise<DkimKey> {
  const found = known.get(file);
  if (found !== undefined) return found;
  const read = parseKey(await readKeyFile(file), file);
  known.set(file, read);
  return read;
}

async function readKeyFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw unusable(file, `it cannot be read (${code})`);
  }
}

function parseKey(pem: Buffer, file: string): DkimKey {
  const key = toKey(pem, file);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return { algorithm: 'ed25519-sha256', key };
  if (type !== 'rsa') throw unusable(file, `it is a key of type ${type}, and DKIM knows RSA and Ed25519`);
  const bits = details?.modulusLength ?? 0;
  if (bits < 1024) throw unusable(file, `it is an RSA key of ${bits} bits, and receivers want 1024 at least`);
  return { algorithm: 'rsa-sha256', key };
}

/** The reasons of OpenSSL are not passed on: they say nothing to people, and could quote the file. */
function toKey(pem: Buffer, file: string): KeyObject {
  if (pem.includes('ENCRYPTED')) throw unusable(file, 'it is protected by a passphrase');
  try {
    return createPrivateKey(pem);
  } catch {
    throw unusable(file, 'it is not a private key in PEM');
  }
}

function unusable(file: string, reason: string): TendError {
  return new TendError('MAIL_NOT_CONFIGURED', `The DKIM key "${file}" cannot be used: ${reason}.`, {
    hint: `Make one: openssl genrsa -out ${file} 2048, or correct tend.toml [mail.dkim] key_file.`,
  });
}
