/** Names of the page's colours, each on light and on dark paper. */
export const palette = {
  paper: ['#f6f7f9', '#0f1318'],
  card: ['#ffffff', '#181d24'],
  ink: ['#1b2027', '#e8ebef'],
  faint: ['#566070', '#a3adba'],
  edge: ['#d9dde3', '#2c343e'],
  link: ['#0b5cad', '#79b8ff'],
  good: ['#2f6fb3', '#5aa2e6'],
  bad: ['#c02f2f', '#ff7b72'],
  warn: ['#946200', '#e0ac45'],
  calm: ['#6b7482', '#8d97a5'],
  alarm: ['#fdeeee', '#341c1e'],
  fine: ['#e9f3fc', '#14273a'],
} as const satisfies Record<string, readonly [light: string, dark: string]>;

type ColorName = keyof typeof palette;

/** Every text colour with what it stands on: at least 4.5:1 in both (WCAG 2.2, 1.4.3). */
export const textPairs: readonly (readonly [text: ColorName, ground: ColorName])[] = [
  ['ink', 'paper'],
  ['faint', 'paper'],
  ['ink', 'card'],
  ['faint', 'card'],
  ['link', 'card'],
  ['bad', 'card'],
  ['warn', 'card'],
  ['good', 'card'],
  ['ink', 'alarm'],
  ['bad', 'alarm'],
  ['ink', 'fine'],
  ['good', 'fine'],
];

/** Marks of charts with what they stand on: at least 3:1 in both (WCAG 2.2, 1.4.11). */
export const markPairs: readonly (readonly [mark: ColorName, ground: ColorName])[] = [
  ['good', 'card'],
  ['bad', 'card'],
  ['warn', 'card'],
  ['calm', 'card'],
];

/** The palette as custom properties. */
export function colorVariables(paper: 'light' | 'dark'): string {
  const index = paper === 'light' ? 0 : 1;
  return Object.entries(palette)
    .map(([name, values]) => `--${name}:${values[index]}`)
    .join(';');
}
