import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileText, header } from './compile-text.ts';
import { fuzzRuns, fuzzTimeoutMs, isOracle, runMsgfmt } from './msgfmt.ts';

interface Case {
  format: string;
  source: string;
  /** One translation, or two plural forms, of which the first is for one number only. */
  translations: string[];
}

/** Parts of format strings, good and bad, for all formats; not `%a`, which Python 3 has and msgfmt 0.21 does not know. */
const part = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...'dsfcxbojpeiuXgGAB') },
  {
    weight: 8,
    arbitrary: fc.constantFrom('%', '%', '%%', '%d', '%s', '%1$', '%2$', '%1$s', '%2$d', '%(a)s'),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom('1$', '2$', '0$', '3', '0', '.', '.2', '.0', '*', '*1$', '*2$', '.*', 'l'),
  },
  { weight: 3, arbitrary: fc.constantFrom('-', '+', ' ', '#', "'x", "'", 'I', '(a)', '(b)', 'h', '$', '\n') },
  {
    weight: 4,
    arbitrary: fc.constantFrom('{a}', '{b}', '<a>', '<b>', '{', '}', '<', '>', '{0}', ':>5', 'ż'),
  },
);
/** A word first, so that newlines begin no text. */
const text = fc.array(part, { maxLength: 7 }).map((parts) => `m${parts.join('')}`.replace(/\n+$/, ''));
const formats = ['c', 'python', 'python-brace', 'php', 'ruby', 'javascript'];

const made: fc.Arbitrary<Case> = fc
  .record({
    format: fc.constantFrom(...formats),
    source: text,
    others: fc.tuple(text, text),
    relation: fc.constantFrom('same', 'shuffled', 'other'),
    isPlural: fc.boolean(),
  })
  .map(({ format, source, others: [first, second], relation, isPlural }) => {
    const pieces = source.split(/(?=%)/);
    const shuffled = [...pieces.slice(0, 1), ...pieces.slice(1).reverse()].join('').replace(/\n+$/, '');
    const near = relation === 'same' ? source : shuffled;
    const translation = relation === 'other' ? first : near;
    return { format, source, translations: isPlural ? [second, translation] : [translation] };
  });

const one = (format: string, source: string, ...translations: string[]): Case => ({
  format,
  source,
  translations,
});

/** What each rule of these formats turns on. */
const table: Case[] = [
  ...[
    '%',
    '%5',
    '%%',
    '%1$%',
    '%5%',
    '%0$d',
    '%01$d',
    '%$d',
    '%1$1$d',
    '%d %1$d',
    '%d %1$s',
    '%2$s %s',
    '%ld',
  ],
  ...[
    '%+d',
    '%#x',
    '% d',
    '%-5d',
    "%'*10d",
    "%'",
    "%'żd",
    '%5-d',
    '%.d',
    '%.2f',
    '%5.',
    '%.1$d',
    '%Id',
    '%j',
    '%i',
  ],
  ...[
    '%*d',
    '%**d',
    '%*5d',
    '%.*f',
    '%*1$d',
    '%1$*d',
    '%1$*2$d',
    '%*1$1$d',
    '%*1$1$s',
    '%*0$d',
    '%*%',
    '%1$*%',
  ],
  ...[
    '%<a>d',
    '%{a}',
    '%<a>',
    '%<a',
    '%{a',
    '%<>d',
    '%{}',
    '%<a>{b}',
    '%<a>5d',
    '%5<a>d',
    '%<a>-d',
    '%5-<a>d',
  ],
  ...[
    '%<a>*d',
    '%1$<a>d',
    '%<a>1$%',
    '%<a>%',
    '%{a}d %d',
    '%d %{a}',
    '%<a>d %<a>s',
    '%{a} %<a>s',
    '%.2<a>5d',
  ],
  ...['%(a)%', '%(a)% %(a)d', '%(a)s %(a)%', '%(a).0s %(a)d', '%(a)% %d'],
  ...['%\nx', '%5\nx', '%.2*d', '%.1.2f', '%d%1$%', '%1$%%d', '%99999d'],
].flatMap((translation) => formats.map((format) => one(format, 'm', `m${translation}x`)));
const pairs: Case[] = [
  '%a',
  '%d',
  '%s',
  '%c',
  '%f',
  '%j',
  '%p',
  '%x',
  '%e',
  '%{a}',
  '%<a>d',
  '%1$d',
  '%2$d',
  '%d %s',
  '%1$s %3$s',
].flatMap((source, _index, all) =>
  all.flatMap((other) =>
    ['php', 'ruby', 'javascript'].flatMap((format) => [
      one(format, source, other),
      one(format, source, other, source),
      one(format, source, source, other),
    ]),
  ),
);

function quote(value: string): string {
  return JSON.stringify(value);
}

/** All cases in one catalog, one context each, and the line on which each begins. */
function toPo(cases: readonly Case[]): { po: string; lines: number[] } {
  let line = header.split('\n').length;
  const lines: number[] = [];
  const entries = cases.map(({ format, source, translations }, index) => {
    const [first = ''] = translations;
    const forms =
      translations.length === 1
        ? [`msgstr ${quote(first)}`]
        : [
            `msgid_plural ${quote(source)}`,
            ...translations.map((form, number) => `msgstr[${number}] ${quote(form)}`),
          ];
    const entry = [`#, ${format}-format`, `msgctxt "${index}"`, `msgid ${quote(source)}`, ...forms, '', ''];
    lines.push(line);
    line += entry.length - 1;
    return entry.join('\n');
  });
  return { po: header + entries.join(''), lines };
}

/** What is wrong with each case, from diagnostics of the form `line: …`; only the first is looked at. */
function judge(lines: readonly number[], diagnostics: readonly string[]): Map<number, string> {
  const faults = new Map<number, string>();
  for (const text of diagnostics) {
    const line = Number(/^\d+/.exec(text)?.[0] ?? Number.NaN);
    const index = lines.findLastIndex((first) => first <= line);
    if (!faults.has(index)) faults.set(index, text);
  }
  return faults;
}

describe.skipIf(!isOracle)('formats, judged by msgfmt 0.21 (skipped where it is not installed)', () => {
  const compare = (cases: readonly Case[]) => {
    const { po, lines } = toPo(cases);
    const theirs = runMsgfmt(po).errors;
    const ours = compileText(po).diagnostics.filter((text) => text.includes(': error: '));
    const [oursByCase, theirsByCase] = [judge(lines, ours), judge(lines, theirs)];
    const different = cases
      .map((each, index) => ({ ...each, ours: oursByCase.get(index), theirs: theirsByCase.get(index) }))
      .filter((each) => (each.ours === undefined) !== (each.theirs === undefined));
    expect(different).toEqual([]);
  };

  it('are the same in every case of the table', () => {
    compare([...table, ...pairs]);
  });

  it(
    'are the same for any strings',
    () => {
      const property = fc.property(fc.array(made, { maxLength: 300, size: 'max' }), compare);
      fc.assert(property, { numRuns: fuzzRuns(6) });
    },
    fuzzTimeoutMs,
  );
});
