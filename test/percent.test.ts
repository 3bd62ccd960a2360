import { expect, it } from 'vitest';
import { parsePercent } from '../src/percent.ts';

it.each<[string, number | undefined]>([
  ['5%', 5],
  ['2.5 %', 2.5],
  ['0', 0],
  ['100%', 100],
  ['101%', undefined],
  ['-1%', undefined],
  ['5%%', undefined],
  ['', undefined],
  ['five', undefined],
])('reads %j as %j percent', (text, number) => {
  expect(parsePercent(text)).toBe(number);
});
