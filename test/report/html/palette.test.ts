import { describe, expect, it } from 'vitest';
import { markPairs, palette, textPairs } from '../../../src/report/html/palette.ts';
import { styles } from '../../../src/report/html/styles.ts';

describe.each([
  ['light', 0],
  ['dark', 1],
] as const)('on %s paper', (_, index) => {
  it.each(textPairs)('text in %s can be read on %s: 4.5:1 or more', (text, ground) => {
    expect(contrast(palette[text][index], palette[ground][index])).toBeGreaterThanOrEqual(4.5);
  });

  it.each(markPairs)('a mark in %s is seen on %s: 3:1 or more', (mark, ground) => {
    expect(contrast(palette[mark][index], palette[ground][index])).toBeGreaterThanOrEqual(3);
  });
});

it('every colour of the style sheet is one of the palette, and it loads nothing', () => {
  const used = [...styles.matchAll(/var\(--([a-z]+)\)/g)].map(([, name]) => name);
  expect(new Set(used)).toEqual(new Set(Object.keys(palette)));
  expect(styles.replace(/:root\{[^}]*\}/g, '')).not.toMatch(/#[0-9a-f]{3,8}\b|rgb|url\(|@import|@font-face/);
});

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const share = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
