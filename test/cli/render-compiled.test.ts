import { expect, it } from 'vitest';
import { completeness } from '../../src/cli/render-compiled.ts';

const counts = { translated: 0, fuzzy: 0, untranslated: 0, dropped: 0 };

it.each([
  [{ ...counts, translated: 10 }, '██████████ 100 %'],
  [{ ...counts, translated: 999, fuzzy: 1 }, '█████████░  99 %'],
  [{ ...counts, translated: 1, untranslated: 2, dropped: 1 }, '██░░░░░░░░  25 %'],
  [{ ...counts, untranslated: 3 }, '░░░░░░░░░░   0 %'],
  [counts, '██████████ 100 %'],
  [{ ...counts, translated: null }, ''],
])('shows %j as %s', (given, expected) => {
  expect(completeness(given)).toBe(expected);
});
