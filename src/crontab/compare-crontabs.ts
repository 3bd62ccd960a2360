const contextLines = 2;

/**
 * What a change to one place of a text does to it, a line each: `-` goes, `+` comes, a blank stays and shows where. None
 * where nothing changes.
 */
export function compareCrontabs(before: string, after: string): string[] {
  if (before === after) return [];
  const [old, fresh] = [before.split('\n'), after.split('\n')];
  const shortest = Math.min(old.length, fresh.length);
  let head = 0;
  while (head < shortest && old[head] === fresh[head]) head++;
  let tail = 0;
  while (tail < shortest - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail++;
  const line = (mark: string) => (text: string) => `${mark}${text}`;
  const below = old.slice(old.length - tail, old.length - tail + contextLines);
  return [
    ...old.slice(Math.max(0, head - contextLines), head).map(line(' ')),
    ...old.slice(head, old.length - tail).map(line('-')),
    ...fresh.slice(head, fresh.length - tail).map(line('+')),
    ...below.filter((text, index) => text !== '' || index < tail - 1).map(line(' ')),
  ];
}
