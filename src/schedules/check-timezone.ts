export function checkTimezone(name: string): string | undefined {
  return name === '' ? 'empty' : undefined;
}
