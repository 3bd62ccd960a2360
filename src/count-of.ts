/** `1 host`, `2 hosts`: a number with what it counts, whose plural ends in an s. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
