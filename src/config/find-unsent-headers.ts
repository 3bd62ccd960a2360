import { isSamePlace, parseHttpPlace } from './http-place.ts';
import type { Config } from './schema.ts';

/** Headers in `[http.headers]` for a host that `[http] allow` does not let anything go to: one of the two is misspelt. */
export function findUnsentHeaders({ http }: Config): { path: string[]; text: string }[] {
  const entries = http.allow.map(parseHttpPlace);
  return Object.keys(http.headers)
    .filter((host) => {
      const place = parseHttpPlace(host);
      return !entries.some((entry) => place && entry && isSamePlace(place, entry));
    })
    .map((host) => ({
      path: ['http', 'headers', host],
      text: `nothing is ever sent there: "${host}" is not in http.allow`,
    }));
}
