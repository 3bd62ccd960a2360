import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DivisionByZero, parsePluralExpression } from '../../src/translations/plural-expression.ts';
import { readPluralForms } from '../../src/translations/plural-forms.ts';

describe('parsePluralExpression', () => {
  it.each<[string, number, number]>([
    ['n != 1', 1, 0],
    ['n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2', 22, 1],
    ['n==1 ? 0 : n==2 ? 1 : 2', 3, 2],
    ['n ? n==1 ? 1 : 2 : 3', 0, 3],
    ['!n+1', 0, 2],
    ['10-3-2', 0, 5],
    ['2+3*4', 0, 14],
    ['1<2==1', 0, 1],
    ['1||1/0', 0, 1],
    ['0&&1/0', 0, 0],
  ])('%s for n = %i is %i, as in C', (text, n, expected) => {
    expect(parsePluralExpression(text)?.(BigInt(n))).toBe(BigInt(expected));
  });

  it.each([
    '',
    'n +',
    '(n',
    'n)',
    'n = 1',
    'n & 1',
    'm',
    '-1',
    'n ? 1',
    '1 2',
    'n;',
    `${'('.repeat(30)}n${')'.repeat(30)}`,
  ])('%j is none', (text) => expect(parsePluralExpression(text)).toBeUndefined());

  it('never throws anything but a division by zero', () => {
    const part = fc.constantFrom(
      'n',
      '1',
      '0',
      '10',
      '(',
      ')',
      '?',
      ':',
      '%',
      '/',
      '*',
      '+',
      '-',
      '!',
      '==',
      '!=',
      '<',
      '>=',
      '&&',
      '||',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), fc.nat(1000), (parts, n) => {
        try {
          parsePluralExpression(parts.join(''))?.(BigInt(n));
        } catch (error) {
          expect(error).toBeInstanceOf(DivisionByZero);
        }
      }),
    );
  });
});

describe('readPluralForms', () => {
  it('knows which forms are used often', () => {
    expect(readPluralForms('nplurals=3; plural=n==1 ? 0 : n==2 ? 1 : 2;')).toMatchObject({
      count: 3,
      isOften: [false, false, true],
    });
  });
});

it('cuts an expression that is no expression where it is quoted', () => {
  const problem = readPluralForms(`nplurals=2; plural=${'n+'.repeat(50_000)};`);
  expect(problem).toBe(`Plural-Forms: "${'n+'.repeat(40)}…" is not a plural expression`);
  const count = `nplurals=${'9'.repeat(80)}…`;
  expect(readPluralForms(`nplurals=${'9'.repeat(100_000)}; plural=0;`)).toBe(
    `Plural-Forms: ${count} is not from 1 to 6`,
  );
});
