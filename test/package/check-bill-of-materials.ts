import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Component {
  name: string;
  version: string;
  purl: string;
  licenses?: unknown[];
}

interface Manifest {
  name: string;
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

/**
 * Makes the bill of materials as the manual says: of a project that has nothing but the package. In this one npm leaves
 * out what is needed for development as well (npm/cli#7909), pg for one.
 */
export function checkBillOfMaterials(options: { root: string; tarball: string; directory: string }): number {
  const { root, tarball, directory } = options;
  const { name, version, dependencies, devDependencies } = readManifest(join(root, 'package.json'));
  mkdirSync(directory);
  npm(directory, ['init', '--yes']);
  npm(directory, ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball]);
  const { components } = billOf(directory);
  const listed = new Map(components.map((one) => [`${one.name} ${one.version}`, one]));
  for (const [dependency, wanted] of Object.entries({ ...dependencies, [name]: version })) {
    const found = listed.get(`${dependency} ${wanted}`);
    assert.ok(found, `the bill of materials has no ${dependency} ${wanted}`);
    assert.equal(found.purl, `pkg:npm/${dependency.replace('@', '%40')}@${wanted}`);
  }
  const named = new Set(components.map((one) => one.name));
  assert.deepEqual(
    Object.keys(devDependencies).filter((one) => named.has(one)),
    [],
  );
  assert.deepEqual(
    components.filter(({ licenses = [] }) => licenses.length === 0).map((one) => one.name),
    [],
  );
  assert.deepEqual(
    installedPackages(join(directory, 'node_modules')).filter((one) => !listed.has(one)),
    [],
  );
  return components.length;
}

function billOf(directory: string): { components: Component[] } {
  const bill = JSON.parse(npm(directory, ['sbom', '--omit', 'dev', '--sbom-format', 'cyclonedx']));
  assert.equal(bill.bomFormat, 'CycloneDX');
  return bill;
}

function npm(cwd: string, args: string[]): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 26 });
}

/** `name version` of each package in a folder of packages, those of scopes included. */
function installedPackages(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    if (name.startsWith('.')) return [];
    if (name.startsWith('@')) return installedPackages(join(directory, name));
    const manifest = readManifest(join(directory, name, 'package.json'));
    return [`${manifest.name} ${manifest.version}`];
  });
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8'));
}
