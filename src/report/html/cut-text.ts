/** At most so many characters: what a task, an error or a label says may be of any length, and the page may not. */
export function cutText(text: string, length = 200): string {
  const characters = [...text.slice(0, length * 2)];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}
