import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCatalog } from '../../src/translations/compile-catalog.ts';
import type { MoEntry } from '../../src/translations/mo-entry.ts';
import { readMo } from '../../src/translations/read-mo.ts';
import { header } from './compile-text.ts';
import { fuzzRuns, fuzzTimeoutMs, isOracle, runMsgfmt } from './msgfmt.ts';
import { mutatedCatalog, poLine } from './mutate-catalog.ts';
import { madeMessages, toPoText } from './po-text.ts';

/** What we refuse and `msgfmt -c` accepts: programs could not load the file, or would show something else. */
const stricter: readonly RegExp[] = [
  /^the charset .* (?:cannot be read|ends with)/,
  /^programs cannot read the charset from/,
  /^the header names (?:a charset, but not in|two charsets)/,
  /^the header has a plural expression, but not in a line/,
  /^Plural-Forms is not of the form/,
  /^Plural-Forms: (?:nplurals=\S+ is not from 1|.* is not a plural expression)/,
  /^the string holds a NUL character/,
  /^the escape .* is more than one byte/,
  /^the lines end with CR alone/,
];

/** What `msgfmt -c` refuses and we only warn of: programs load it, and take it for ASCII. */
const laxer = /^(?:the catalog has no header entry|the file has no entries)/;

const folder = new URL('../fixtures/catalogs/', import.meta.url);
const names = readdirSync(fileURLToPath(folder)).filter((name) => name.endsWith('.po'));
const read = (name: string) => readFileSync(new URL(name, folder));

function compile(bytes: Buffer) {
  return compileCatalog({ bytes, file: 'x.po', useFuzzy: false, onBadMessage: 'fail' });
}

describe('catalogs of Django and WTForms', () => {
  it.each(names.filter((name) => name.startsWith('django')))('%s becomes what its package ships', (name) => {
    const texts = (entries: readonly MoEntry[] = []) => entries.filter(({ key }) => key !== '');
    expect(texts(compile(read(name)).output?.entries)).toEqual(
      texts(readMo(read(name.replace(/po$/, 'mo')))),
    );
  });
});

describe.skipIf(!isOracle)('msgfmt 0.21 (skipped where it is not installed)', () => {
  const compare = (po: string | Buffer): void => {
    const { output, diagnostics } = compile(Buffer.from(po));
    const theirs = runMsgfmt(po);
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    if (theirs.output !== undefined && output === undefined) {
      expect(errors.filter(({ message }) => !stricter.some((pattern) => pattern.test(message)))).toEqual([]);
    } else if (theirs.output !== undefined || !diagnostics.some(({ message }) => laxer.test(message))) {
      const ours = output === undefined ? errors : readMo(output.bytes);
      expect(ours).toEqual(theirs.output === undefined ? errors : readMo(theirs.output));
      expect(output === undefined || theirs.output?.equals(output.bytes)).toBe(true);
    }
  };

  it.each(names)('makes the same of %s, byte for byte', (name) => compare(read(name)));

  it(
    'makes the same of any messages, byte for byte',
    () => {
      const property = fc.property(madeMessages, (messages) => {
        const po = header + toPoText(messages);
        expect(compile(Buffer.from(po)).output?.bytes).toEqual(runMsgfmt(po).output);
      });
      fc.assert(property, { numRuns: fuzzRuns(40) });
    },
    fuzzTimeoutMs,
  );

  it(
    'accepts and refuses the same lines',
    () => {
      const lines = fc.array(poLine, { maxLength: 14 }).map((all) => `${header}${all.join('\n')}\n`);
      fc.assert(fc.property(lines, compare), { numRuns: fuzzRuns(100) });
    },
    fuzzTimeoutMs,
  );

  it(
    'makes the same of real catalogs with faults in them',
    () => {
      const catalogs = [...names.map((name) => read(name).toString('latin1')), header];
      const property = fc.property(mutatedCatalog(catalogs), (text) => compare(Buffer.from(text, 'latin1')));
      fc.assert(property, { numRuns: fuzzRuns(100) });
    },
    fuzzTimeoutMs,
  );
});
