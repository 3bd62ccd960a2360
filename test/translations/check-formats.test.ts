import { describe, expect, it } from 'vitest';
import { compareArgumentMaps } from '../../src/translations/argument-maps.ts';
import { parseCFormat } from '../../src/translations/c-format.ts';
import { parseJavascriptFormat } from '../../src/translations/javascript-format.ts';
import { compareOrderedArguments } from '../../src/translations/ordered-arguments.ts';
import { parsePhpFormat } from '../../src/translations/php-format.ts';
import {
  comparePythonBraceFields,
  parsePythonBraceFormat,
} from '../../src/translations/python-brace-format.ts';
import { comparePythonArguments, parsePythonFormat } from '../../src/translations/python-format.ts';
import { compareRubyArguments } from '../../src/translations/ruby-arguments.ts';
import { parseRubyFormat } from '../../src/translations/ruby-format.ts';
import { compileText, header } from './compile-text.ts';

/** What a format says about a translation of a valid source text; undefined when it is good. */
function check<Parsed extends object>(
  parse: (text: string, isTranslation: boolean) => Parsed | string,
  compare: (source: Parsed, translation: Parsed, isStrict: boolean) => string | undefined,
) {
  return (source: string, translation: string): string | undefined => {
    const parsed = parse(source, false);
    const other = parse(translation, true);
    if (typeof parsed === 'string') throw new Error(`${source}: ${parsed}`);
    return typeof other === 'string' ? other : compare(parsed, other, true);
  };
}

const c = check(parseCFormat, compareOrderedArguments);
const python = check((text) => parsePythonFormat(text), comparePythonArguments);
const brace = check((text) => parsePythonBraceFormat(text), comparePythonBraceFields);

describe('c-format', () => {
  it.each([
    ['%s of %d', '%2$d: %1$s'],
    ['%5.2f%%', '100%% %f'],
    ['%*d', '%*d'],
    ['%ld', '%li'],
    ['%d', '%Id'],
    ['%<PRIu64>', '%<PRIu64>'],
  ])('%s may become %s', (source, translation) => expect(c(source, translation)).toBeUndefined());

  it.each([
    ['%s', '%d'],
    ['%d', '%ld'],
    ['%d', '%u'],
    ['%s %s', '%s'],
    ['%s', '%1$s %2$s'],
    ['%s %s', '%1$s %s'],
    ['%s', '%'],
    ['%s', '%y'],
    ['%s %d', '%2$d'],
  ])('%s may not become %s', (source, translation) => expect(c(source, translation)).toBeTypeOf('string'));
});

describe('python-format', () => {
  it.each([
    ['%(a)s %(b)d', '%(b)d %(a)s'],
    ['%s %d%%', '%r %i%%'],
    ['%(a(b))s', '%(a(b))s'],
  ])('%s may become %s', (source, translation) => expect(python(source, translation)).toBeUndefined());

  it.each([
    ['%(a)s', '%(b)s'],
    ['%(a)s', 'x'],
    ['%(a)s', '%(a)d'],
    ['%(a)s', '%(a)'],
    ['%(a)s', '%s'],
    ['%s', '%(a)s'],
    ['%s', '%s %s'],
    ['%d', '%s'],
    ['%s', '100%'],
    ['%(a)s', '%(a)s %d'],
    ['%(a)s', '%(a)s %(b)%'],
    ['%(a)s', '%(a)%'],
  ])('%s may not become %s', (source, translation) =>
    expect(python(source, translation)).toBeTypeOf('string'),
  );
});

describe('python-brace-format', () => {
  it.each([
    ['{a} {b.c[0]:>10}', '{b.c[0]:>10} {a}{{'],
    ['{0}', '}{0}'],
  ])('%s may become %s', (source, translation) => expect(brace(source, translation)).toBeUndefined());

  it.each([
    ['{a}', '{b}'],
    ['{a}', 'a'],
    ['{a}', '{a'],
    ['a', '{}'],
  ])('%s may not become %s', (source, translation) =>
    expect(brace(source, translation)).toBeTypeOf('string'),
  );
});

const php = check((text) => parsePhpFormat(text), compareArgumentMaps);
const ruby = check((text) => parseRubyFormat(text), compareRubyArguments);
const javascript = check((text) => parseJavascriptFormat(text), compareArgumentMaps);

describe.each<[string, typeof php, string[][], string[][]]>([
  [
    'php-format',
    php,
    [
      ['%s of %d', '%2$d: %1$s'],
      ['%d', '%x'],
      ["%'*10s", '%-5s %%'],
    ],
    [
      ['%s', '%d'],
      ['%s %s', '%2$s'],
      ['%s', '%s %2$s'],
      ['%s', '100%'],
      ['%s', '%0$s'],
    ],
  ],
  [
    'ruby-format',
    ruby,
    [
      ['%<a>d %{b}', '%{b} %<a>05d'],
      ['%s %d', '%2$d %1$s'],
      ['%s', '%s %%'],
    ],
    [
      ['%<a>d', '%<b>d'],
      ['%<a>d', '%{a}'],
      ['%{a}', 'a'],
      ['%{a}', '%s'],
      ['%s', '%s %s'],
      ['%s', '%1$s %s'],
      ['%{a}', '%{a'],
    ],
  ],
  [
    'javascript-format',
    javascript,
    [
      ['%s of %d', '%2$d: %1$s'],
      ['%j %%', '%j'],
    ],
    [
      ['%s', '%d'],
      ['%s', '%u'],
      ['%s %d', '%1$s %d'],
      ['%s', ''],
    ],
  ],
])('%s', (_name, judge, good, bad) => {
  it.each(good)('%s may become %s', (source = '', translation = '') =>
    expect(judge(source, translation)).toBeUndefined(),
  );
  it.each(bad)('%s may not become %s', (source = '', translation = '') =>
    expect(judge(source, translation)).toBeTypeOf('string'),
  );
});

describe('which messages are checked', () => {
  const plural = (flags: string, forms: string) =>
    compileText(`${header}#, ${flags}\nmsgid "%d file"\nmsgid_plural "%d files"\n${forms}`).messages;

  it('a form that is used for one number only may leave the number out', () => {
    expect(plural('c-format', 'msgstr[0] "plik"\nmsgstr[1] "%d plików"')).toBeDefined();
    expect(plural('c-format', 'msgstr[0] "%d plik"\nmsgstr[1] "plików"')).toBeUndefined();
  });

  it('so may one that its range of numbers uses once', () => {
    expect(plural('c-format, range: 0..1', 'msgstr[0] "plik"\nmsgstr[1] "bez plików"')).toBeDefined();
  });

  it.each(['no-c-format', 'impossible-c-format', 'perl-format'])('not those with %s', (flag) => {
    expect(plural(flag, 'msgstr[0] "plik"\nmsgstr[1] "pliki"')).toBeDefined();
  });

  it('not those whose source text is no such format', () => {
    expect(compileText(`${header}#, c-format\nmsgid "100%"\nmsgstr "%s"`).messages).toBeDefined();
  });
});
