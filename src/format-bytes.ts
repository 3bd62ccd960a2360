const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A size for a person: `912 bytes`, `4.7 kB`, `1.2 GB`; powers of 1000, as disks and `ls --si` count. */
export function formatBytes(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || amount >= 99.5 ? 0 : 1;
  return `${amount.toFixed(digits)} ${units[unit] ?? ''}`;
}
