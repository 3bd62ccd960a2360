/** Reads `5%`, `5 %`, `2.5%` or `5` as a number from 0 to 100; undefined when it is none. */
export function parsePercent(text: string): number | undefined {
  const number = /^(\d{1,3}(?:\.\d+)?) ?%?$/.exec(text)?.[1];
  return number === undefined || Number(number) > 100 ? undefined : Number(number);
}
