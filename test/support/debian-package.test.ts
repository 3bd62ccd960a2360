import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { debianPackage } from './debian-package.ts';

test('a package that does not exist is undefined, not an error', () => {
  expect(debianPackage('tend-no-such-package')).toBeUndefined();
});

test.skipIf(debianPackage('age') === undefined)('a package is unpacked with its programs', () => {
  expect(existsSync(join(debianPackage('age') ?? '', 'usr/bin/age'))).toBe(true);
});
