import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCatalog } from '../../src/translations/compile-catalog.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { header } from './compile-text.ts';
import { madeMessages, toPoText } from './po-text.ts';

const version = spawnSync('msgfmt', ['--version']).stdout?.toString() ?? '';
/** Later versions rewrite the charset and some format strings: their files differ in bytes that mean the same. */
const isOracle = version.includes('0.21');

/** Lines of which any order makes a good or bad catalog. Left out is what we refuse on purpose and msgfmt accepts. */
const line = fc.constantFrom(
  ...[
    'msgid "a"',
    'msgid "b"',
    'msgid "c %d"',
    'msgid "%(x)s"',
    'msgid "{a}"',
    'msgid ""',
    'msgid_plural "as"',
  ],
  ...[
    'msgid_plural "%d as"',
    'msgstr "x"',
    'msgstr "ż %d"',
    'msgstr ""',
    'msgstr "%(x)s"',
    'msgstr "%(y)s"',
    'msgstr "{a}"',
  ],
  ...[
    'msgstr[0] "y"',
    'msgstr[1] "z"',
    'msgstr[1] "%d z"',
    'msgstr[2] "q"',
    'msgstr[ 1 ] "w"',
    'msgstr[0] ""',
  ],
  ...[
    '"more"',
    '"\\n"',
    '"a" "b"',
    '"\\x41\\102\\a"',
    '"\\q"',
    'msgctxt "k"',
    'msgctxt ""',
    'msgid "a" msgstr "b"',
  ],
  ...[
    '#, fuzzy',
    '#,fuzzy, c-format',
    '#, c-format',
    '#, python-format',
    '#, no-python-format',
    '#, python-brace-format',
  ],
  ...[
    '# comment',
    '#: f.c:1',
    '#. dot',
    '#',
    '#| msgid "old"',
    '#| msgctxt "k"',
    '#| "old"',
    '#, c-format, range: 0..1',
  ],
  ...[
    '#~ msgid "o"',
    '#~ msgstr "p"',
    '#~| msgid "oo"',
    '#~ "q"',
    '',
    '',
    '',
    'junk',
    '[',
    'é',
    '"unclosed',
    'domain "d"',
  ],
);

const anyText = fc.array(line, { maxLength: 14 }).map((lines) => `${header}${lines.join('\n')}\n`);

describe.skipIf(!isOracle)('msgfmt 0.21 (skipped where it is not installed)', () => {
  const compare = async (po: string) => {
    await using directory = await temporaryDirectory();
    const [source, output] = [join(directory.path, 'x.po'), join(directory.path, 'x.mo')];
    await writeFile(source, po);
    const { status } = spawnSync('msgfmt', ['-c', '-o', output, source], {
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    });
    const theirs = status === 0 ? await readFile(output) : undefined;
    const options = { bytes: Buffer.from(po), file: 'x.po', useFuzzy: false, onBadMessage: 'fail' } as const;
    return { ours: compileCatalog(options).output?.bytes, theirs };
  };

  it('makes the same file, byte for byte', async () => {
    const property = fc.asyncProperty(madeMessages, async (messages) => {
      const { ours, theirs } = await compare(header + toPoText(messages));
      expect(theirs).toBeDefined();
      expect(ours).toEqual(theirs);
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it('accepts and refuses the same', async () => {
    const property = fc.asyncProperty(anyText, async (po) => {
      const { ours, theirs } = await compare(po);
      expect(ours).toEqual(theirs);
    });
    await fc.assert(property, { numRuns: 150 });
  });
});
