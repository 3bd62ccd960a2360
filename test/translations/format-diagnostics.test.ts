import { expect, it } from 'vitest';
import type { Diagnostic } from '../../src/translations/findings.ts';
import { formatDiagnostics } from '../../src/translations/format-diagnostics.ts';

const odd: Diagnostic = {
  ...{ file: 'a,b:c%\n.po', line: 7, column: 3 },
  ...{ severity: 'error', message: '100 % of "a"\r\n::warning::, x' },
};
const plain: Diagnostic = { file: 'pl.po', line: 9, column: 1, severity: 'warning', message: 'twice' };

it('writes a line each for GCC, whatever a file is called', () => {
  expect(formatDiagnostics([{ ...odd, message: 'bad' }, plain], 'gcc')).toEqual([
    'a,b:c%?.po:7:3: error: bad',
    'pl.po:9:1: warning: twice',
  ]);
});

it('escapes what GitHub would take for its own', () => {
  expect(formatDiagnostics([odd, plain], 'github')).toEqual([
    '::error file=a%2Cb%3Ac%25%0A.po,line=7,col=3::100 %25 of "a"%0D%0A::warning::, x',
    '::warning file=pl.po,line=9,col=1::twice',
  ]);
});

it('makes one JSON document for GitLab, whose fingerprints differ and do not move with the lines', () => {
  const report = (diagnostics: Diagnostic[]) =>
    JSON.parse(formatDiagnostics(diagnostics, 'gitlab').join('\n')) as { fingerprint: string }[]; // as below
  expect(report([])).toEqual([]);
  const first = report([odd, plain, { ...plain, line: 12 }]);
  expect(first[0]).toEqual({
    description: odd.message,
    check_name: 'tend compile-translations',
    fingerprint: expect.stringMatching(/^[0-9a-f]{14}$/),
    severity: 'major',
    location: { path: odd.file, lines: { begin: 7 } },
  });
  const fingerprints = first.map(({ fingerprint }) => fingerprint);
  expect(new Set(fingerprints).size).toBe(3);
  const moved = report(
    [odd, plain, { ...plain, line: 12 }].map((each) => ({ ...each, line: each.line + 5 })),
  );
  expect(moved.map(({ fingerprint }) => fingerprint)).toEqual(fingerprints);
});
