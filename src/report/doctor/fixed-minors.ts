/**
 * The first minor release of each major in which the client programs have none of the holes known to matter for dumps
 * and restores, and the newest of these holes there. Source: https://www.postgresql.org/support/security/
 *
 * - CVE-2026-18408 (18.6, 17.11, 16.15, 15.19, 14.24): a dump makes psql run meta-commands in spite of `\restrict`.
 * - CVE-2026-6477 (18.4, 17.10, 16.14, 15.18, 14.23): a hostile server overwrites the stack of pg_dump, by `lo_read`.
 * - CVE-2025-8714, CVE-2025-8715 (17.6, 16.10, 15.14, 14.19): a dump contains psql meta-commands or SQL of its origin.
 * - CVE-2024-7348 (16.4, 15.8, 14.13): who creates objects runs SQL as the role that dumps.
 */
const fixedMinors: Record<number, number> = { 18: 6, 17: 11, 16: 15, 15: 19, 14: 24 };
const newestHole = 'CVE-2026-18408';

/**
 * What is wrong with a client program by its version, `pg_dump (PostgreSQL) 15.18 (Debian …)`; undefined where nothing
 * is known. A major older than the table gets no repairs any more; of one that is newer nothing is known.
 */
export function findVersionProblem(version: string): string | undefined {
  const [, digits, minorDigits] = /\(PostgreSQL\) (\d+)\.(\d+)/.exec(version) ?? [];
  if (digits === undefined || minorDigits === undefined) return undefined;
  const major = Number(digits);
  const fixed = fixedMinors[major];
  if (fixed !== undefined)
    return Number(minorDigits) < fixed
      ? `${newestHole} and others are repaired in ${major}.${fixed}`
      : undefined;
  const isOld = major < Math.min(...Object.keys(fixedMinors).map(Number));
  return isOld ? `PostgreSQL ${major} gets no repairs any more` : undefined;
}
