import { mkdtempSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import type { Identity } from '../../../src/backups/parts/find-identity.ts';
import { debianPackage } from '../../support/debian-package.ts';

/** Where the real `age` and `age-keygen` are; undefined where they cannot be had. */
export const ageDirectory = debianToBin(debianPackage('age'));

const path = process.env['PATH'] ?? '/usr/bin:/bin';

/** The two implementations of age, each with the environment that leads to it. */
export const ageRoads: { road: string; program: string; env: NodeJS.ProcessEnv }[] = [
  { road: 'the npm package', program: 'age-encryption', env: process.env },
  ...(ageDirectory === undefined
    ? []
    : [
        {
          road: 'the age program',
          program: 'age',
          env: { ...process.env, PATH: `${ageDirectory}${delimiter}${path}` },
        },
      ]),
];

export interface Key {
  recipient: string;
  identity: Identity;
}

/** A new key, its file in a directory of its own below `directory`. */
export async function newKey(directory: string): Promise<Key> {
  const secret = await generateIdentity();
  const recipient = await identityToRecipient(secret);
  const file = join(mkdtempSync(join(directory, 'key-')), 'key.txt');
  writeFileSync(file, `# public key: ${recipient}\n${secret}\n`, { mode: 0o600 });
  return {
    recipient,
    identity: { path: file, isRegularFile: true, keys: [secret], recipients: [recipient] },
  };
}

function debianToBin(root: string | undefined): string | undefined {
  return root === undefined ? undefined : join(root, 'usr/bin');
}
