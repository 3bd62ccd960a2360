import { TendError } from '../../errors.ts';
import type { Manifest } from '../sets/manifest.ts';
import { type Identity, isEncrypted } from './find-identity.ts';

/**
 * Refuses work on the content of an encrypted set where there is no key: before anything is made.
 *
 * @throws TendError BACKUP_KEY_MISSING.
 */
export function requireIdentity(manifest: Manifest, identity: Identity | undefined): void {
  if (identity !== undefined || !isEncrypted(manifest)) return;
  const message = `Backup set "${manifest.id}" is encrypted to ${named(manifest.recipients)}, and there is no key here to read it with.`;
  throw new TendError('BACKUP_KEY_MISSING', message, {
    hint: 'Bring the identity file of one of them: --identity FILE, or [backup] identity_file',
    isPermanent: true,
  });
}

/** The key is there and is somebody else's. Where it is one of the set's own, the set is damaged instead. */
export function wrongIdentity(manifest: Manifest, { path, recipients }: Identity, cause: unknown): TendError {
  const message = `Backup set "${manifest.id}" is encrypted to ${named(manifest.recipients)}; the identity file "${path}" holds the key of ${named(recipients)}.`;
  return new TendError('BACKUP_KEY_WRONG', message, {
    hint: 'Bring the identity file of one of them: --identity FILE, or [backup] identity_file',
    isPermanent: true,
    cause,
  });
}

function named(recipients: readonly string[]): string {
  return recipients.length === 0 ? 'somebody whom its manifest does not name' : recipients.join(', ');
}
