import { createPublicKey } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { type FindComposingSettingsOptions, findComposingSettings } from '../compose/composing-settings.ts';
import { readDkimKey } from './read-dkim-key.ts';

/** What DNS says of the key that messages are signed with. */
export type PublishedKey =
  | { state: 'same'; name: string }
  | { state: 'other' | 'revoked' | 'missing'; name: string; wanted: string }
  | { state: 'unknown'; name: string; reason: string };

/**
 * Compares the key of `[mail.dkim]` with the one that receivers look up: the TXT record SELECTOR._domainkey.DOMAIN
 * (RFC 6376 §3.6.2.1). `wanted` is the record as it should be;
 * undefined where messages are not signed.
 *
 * @throws TendError MAIL_NOT_CONFIGURED for a key that cannot be used.
 */
export async function findPublishedKey(
  options: FindComposingSettingsOptions & {
    /** `address:port` of the servers to ask; those of the system unless told. */
    dnsServers?: readonly string[] | undefined;
  },
): Promise<PublishedKey | undefined> {
  const { dkim } = findComposingSettings(options);
  if (dkim === undefined) return undefined;
  const { domain, selector, keyFile } = dkim;
  const { algorithm, key } = await readDkimKey(keyFile);
  const name = `${selector}._domainkey.${domain}`;
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  // RFC 8463 §3: of Ed25519 the 32 bytes of the key alone are published.
  const bytes = algorithm === 'ed25519-sha256' ? der.subarray(-32) : der;
  const ours = bytes.toString('base64');
  const wanted = `v=DKIM1; k=${algorithm === 'ed25519-sha256' ? 'ed25519' : 'rsa'}; p=${ours}`;
  try {
    const resolver = new Resolver({ timeout: 3000, tries: 2 });
    if (options.dnsServers !== undefined) resolver.setServers(options.dnsServers);
    const records = await resolver.resolveTxt(name);
    const published = records.map((parts) => /(?:^|;)\s*p\s*=([^;]*)/.exec(parts.join(''))?.[1]);
    const keys = published.map((text) => text?.replaceAll(/\s/g, ''));
    if (keys.includes(ours)) return { state: 'same', name };
    // RFC 6376 §3.6.1: an empty value is a key that has been revoked.
    return { state: keys.includes('') ? 'revoked' : 'other', name, wanted };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOTFOUND' || code === 'ENODATA') return { state: 'missing', name, wanted };
    return { state: 'unknown', name, reason: code };
  }
}
