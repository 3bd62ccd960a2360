import { closestName } from '../closest-name.ts';
import { quotePart } from './quote-part.ts';

const example = 'write a place such as "Europe/Warsaw", or "UTC"';

/** Names of three letters that are zones in IANA's database. Node takes more of them, with a meaning of ICU's own. */
const shortNames = 'CET EET EST GMT HST MET MST PRC ROC ROK UCT UTC WET'.split(' ');
/** Zones of ICU that IANA's database never had or has no more: PostgreSQL knows none of them. */
const foreignNames = /^(SystemV\/.*|US\/Pacific-New|Canada\/East-Saskatchewan)$/;

/**
 * Why a name is no time zone for a schedule; undefined when it is one. Only names of IANA's database will do, in its
 * spelling, as PostgreSQL must know them too: an offset knows no daylight saving time, an abbreviation has several meanings.
 */
export function checkTimezone(name: string): string | undefined {
  if (name === 'UTC') return undefined;
  const names = Intl.supportedValuesOf('timeZone');
  if (names.includes(name)) return undefined; // the quick way: a DateTimeFormat, the first of a process, costs 20 ms
  if (/^(?:UTC|GMT)?[+-]?\d[\d:]*$/i.test(name)) {
    return `${quotePart(name)} is an offset, which knows no daylight saving time: ${example}`;
  }
  const zone = findZone(name);
  if (/^[A-Za-z]{3}$/.test(name) && !shortNames.includes(name)) {
    const meant = zone === undefined ? example : `write a place such as "${zone}"`;
    return `${quotePart(name)} is an abbreviation, not a time zone: ${meant}`;
  }
  const isSpeltRight =
    /^[A-Z][\w+-]*(\/[A-Z][\w+-]*)*$/.test(name) && !names.some((other) => isSame(other, name));
  if (zone !== undefined && isSpeltRight && !foreignNames.test(name)) return undefined;
  const near = name.length > 60 ? undefined : nearest(name, names);
  return `${quotePart(name)} is no time zone: ${near === undefined ? example : `did you mean "${near}"?`}`;
}

/** The name of the zone that Node takes this for. */
function findZone(name: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function nearest(name: string, names: readonly string[]): string | undefined {
  const spelling = name.replaceAll(' ', '_');
  const place = names.find(
    (other) => isSame(other, spelling) || isSame(other.replace(/^.*\//, ''), spelling),
  );
  return place ?? closestName(spelling, [...names, 'UTC']);
}

function isSame(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
