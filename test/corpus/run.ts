// npm run test:corpus        every catalog of some Debian packages against the .mo file that msgfmt made of it
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { shippedHeader } from '../../src/translations/catalog-header.ts';
import { compileCatalog } from '../../src/translations/compile-catalog.ts';
import { formatDiagnostic } from '../../src/translations/findings.ts';
import { readMo } from '../../src/translations/read-mo.ts';
import { debianPackage } from '../support/debian-package.ts';

/** Babel made the .mo files of wtforms, with texts of its own for untranslated plurals: there msgfmt itself is asked. */
const packages = [
  { name: 'python3-django', isMadeByMsgfmt: true },
  { name: 'python3-wtforms', isMadeByMsgfmt: false },
  { name: 'python3-django-allauth', isMadeByMsgfmt: true },
];

let hasFailed = false;
for (const { name, isMadeByMsgfmt } of packages) {
  const root = debianPackage(name);
  if (root === undefined) {
    process.stdout.write(`${name}: cannot be fetched (no Debian, or no network)\n`);
    hasFailed = true;
    continue;
  }
  const counts = { files: 0, messages: 0, refused: 0, headers: 0 };
  const differences: string[] = [];
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.po'),
  );
  for (const file of files)
    compareFile({ path: join(root, file), root, isMadeByMsgfmt }, counts, differences);
  process.stdout.write(
    `${name}: ${counts.files} catalogs, ${counts.messages} messages, ${differences.length} differences; ${counts.refused} refused by both, ${counts.headers} with another header\n`,
  );
  for (const line of differences.slice(0, 20)) process.stdout.write(`  ${line}\n`);
  hasFailed ||= differences.length > 0 || counts.files === 0;
}
process.exitCode = hasFailed ? 1 : 0;

interface ComparedFile {
  path: string;
  root: string;
  isMadeByMsgfmt: boolean;
}

function compareFile(
  { path, root, isMadeByMsgfmt }: ComparedFile,
  counts: { files: number; messages: number; refused: number; headers: number },
  differences: string[],
): void {
  const file = relative(root, path);
  const golden = isMadeByMsgfmt ? readFileSync(path.replace(/\.po$/, '.mo')) : runMsgfmt(path);
  const compiled = compileCatalog({ bytes: readFileSync(path), file, useFuzzy: false, onBadMessage: 'fail' });
  counts.files += 1;
  if (compiled.output === undefined || golden === undefined) {
    if (compiled.output === undefined && golden === undefined) counts.refused += 1;
    else differences.push(compiled.diagnostics.map(formatDiagnostic)[0] ?? `${file}: refused by msgfmt only`);
    return;
  }
  const expected = new Map(readMo(golden).map(({ key, value }) => [key, value]));
  for (const { key, value } of compiled.output.entries) {
    const other = expected.get(key);
    expected.delete(key);
    if (key === '') {
      // Some .mo files in the package are older than the header of their source.
      if (other === undefined || shippedHeader(other) !== value) counts.headers += 1;
      continue;
    }
    counts.messages += 1;
    if (other !== value) differences.push(`${file}: ${JSON.stringify(key.slice(0, 60))}`);
  }
  for (const key of expected.keys())
    differences.push(`${file}: ${JSON.stringify(key.slice(0, 60))} is missing`);
}

/** Undefined where it refuses the catalog. */
function runMsgfmt(path: string) {
  const { status, stdout, error } = spawnSync('msgfmt', ['--check', '--output-file=-', path], {
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  return status === 0 ? stdout : undefined;
}
