/** Quotes a part of a setting as JSON does (and as PostgreSQL's `to_json` does), cut where it is long. */
export function quotePart(part: string): string {
  const characters = [...part];
  return JSON.stringify(characters.length > 60 ? `${characters.slice(0, 60).join('')}...` : part);
}
