import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadMoParser } from '../../src/translations/compare-with-gettext-parser.ts';
import { compileCatalog } from '../../src/translations/compile-catalog.ts';
import { MoDamage, readMo } from '../../src/translations/read-mo.ts';
import { verifyMo } from '../../src/translations/verify-mo.ts';
import { writeMo } from '../../src/translations/write-mo.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { compileText, header } from './compile-text.ts';
import { expectedEntries, madeMessages, toPoText } from './po-text.ts';

function compile(po: string) {
  const { output } = compileCatalog({
    bytes: Buffer.from(po),
    file: 'x.po',
    useFuzzy: false,
    onBadMessage: 'fail',
  });
  if (output === undefined) throw new Error(`not compiled: ${po}`);
  return output;
}

const parse = await loadMoParser();

describe('any catalog', () => {
  it('comes back as it was written, by our reader and by gettext-parser', () => {
    fc.assert(
      fc.property(madeMessages, (messages) => {
        const po = header + toPoText(messages);
        const { messages: read, diagnostics } = compileText(po);
        expect(read).toEqual(expectedEntries(messages));
        expect(diagnostics.filter((line) => line.includes('error:'))).toEqual([]);
        const { bytes, entries } = compile(po);
        verifyMo(bytes, entries, parse);
      }),
    );
  });

  it('is verified even where gettext-parser cannot tell an empty context from none', () => {
    const { bytes, entries } = compile(
      `${header}msgctxt ""\nmsgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"\n`,
    );
    verifyMo(bytes, entries, parse);
  });

  it('is refused when one byte of a text differs', () => {
    const { bytes, entries } = compile(`${header}msgid "abc"\nmsgstr "xyz"\n`);
    const broken = Buffer.from(bytes);
    broken[broken.indexOf('xyz')] = 0x21;
    expect(() => verifyMo(broken, entries, parse)).toThrow(/does not read back/);
  });
});

describe('readMo', () => {
  const good = writeMo([
    { key: 'a', value: 'b' },
    { key: 'c', value: 'd' },
  ]);

  it('reads the other byte order', () => {
    const swapped = Buffer.from(good);
    swapped.subarray(0, swapped.length - 8).swap32();
    expect(readMo(swapped)).toEqual(readMo(good));
  });

  it('throws nothing but MoDamage, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.nat(good.length - 1),
        fc.integer({ min: 0, max: 255 }),
        fc.nat(good.length),
        (at, byte, length) => {
          const broken = Buffer.from(good);
          broken[at] = byte;
          try {
            readMo(broken.subarray(0, length));
          } catch (error) {
            expect(error).toBeInstanceOf(MoDamage);
          }
        },
      ),
    );
  });

  it('refuses keys out of order, which programs could not find', () => {
    const unsorted = writeMo([
      { key: 'c', value: 'd' },
      { key: 'a', value: 'b' },
    ]);
    expect(() => readMo(unsorted)).toThrow('message 1 is out of order');
  });
});

const canRunGettext = spawnSync('gettext', ['--version']).status === 0;
const locales = spawnSync('locale', ['-a']).stdout?.toString() ?? '';
const utf8Locale = /^(?:C|en_US)\.utf-?8$/im.exec(locales)?.[0];
const canRunPhp = spawnSync('php', ['-r', 'exit(function_exists("ngettext") ? 0 : 1);']).status === 0;
const canRunPython = spawnSync('python3', ['-c', 'import gettext']).status === 0;

describe('programs load it', () => {
  const po = `${header}msgid "one"\nmsgstr "jeden"\n\nmsgid "漢😀é"\nmsgstr "ż"\n\nmsgid "ａ"\nmsgstr "wide"\n\nmsgid "%d f"\nmsgid_plural "%d fs"\nmsgstr[0] "%d plik"\nmsgstr[1] "%d pliki"\n`;

  /** A folder with the catalog of the language xx, and the environment in which glibc looks there. */
  const install = async (directory: string) => {
    await mkdir(join(directory, 'xx/LC_MESSAGES'), { recursive: true });
    await writeFile(join(directory, 'xx/LC_MESSAGES/x.mo'), compile(po).bytes);
    return { PATH: '/usr/bin:/bin', LC_ALL: utf8Locale ?? '', LANGUAGE: 'xx', TEXTDOMAINDIR: directory };
  };

  it.skipIf(!canRunGettext || utf8Locale === undefined)(
    'glibc (skipped without the gettext program or a UTF-8 locale)',
    async () => {
      await using directory = await temporaryDirectory();
      const env = await install(directory.path);
      const run = (program: string, ...args: string[]) =>
        spawnSync(program, ['-d', 'x', ...args], { env }).stdout.toString();
      expect(['one', '漢😀é', 'ａ'].map((id) => run('gettext', id))).toEqual(['jeden', 'ż', 'wide']);
      expect(['1', '2'].map((n) => run('ngettext', '%d f', '%d fs', n))).toEqual(['%d plik', '%d pliki']);
    },
  );

  it.skipIf(!canRunPhp || utf8Locale === undefined)(
    'PHP (skipped without its gettext or a UTF-8 locale)',
    async () => {
      await using directory = await temporaryDirectory();
      const env = await install(directory.path);
      const script = `setlocale(LC_ALL, ""); bindtextdomain("x", getenv("TEXTDOMAINDIR")); textdomain("x");
        echo json_encode([gettext("one"), gettext("漢😀é"), ngettext("%d f", "%d fs", 1), ngettext("%d f", "%d fs", 2)]);`;
      const { stdout } = spawnSync('php', ['-r', script], { env });
      expect(JSON.parse(stdout.toString())).toEqual(['jeden', 'ż', '%d plik', '%d pliki']);
    },
  );

  it.skipIf(!canRunPython)('Python (skipped where there is none)', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'x.mo');
    await writeFile(path, compile(po).bytes);
    const script =
      'import gettext, sys; t = gettext.GNUTranslations(open(sys.argv[1], "rb")); print(ascii([t.gettext("one"), t.gettext("\\u6f22\\U0001f600\\u00e9"), t.ngettext("%d f", "%d fs", 1), t.ngettext("%d f", "%d fs", 2)]))';
    const { stdout } = spawnSync('python3', ['-c', script, path]);
    expect(stdout.toString().trim()).toBe("['jeden', '\\u017c', '%d plik', '%d pliki']");
  });
});
