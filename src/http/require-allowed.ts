import { isSamePlace, placeOf, writeHttpPlace } from '../config/http-place.ts';
import { TendError } from '../errors.ts';
import type { HttpSettings } from './http-settings.ts';

/**
 * Refuses what `[http] allow` does not list.
 *
 * @param subject who wants to go there, beginning a sentence: `The request`, `The redirect from api.example.org`.
 * @throws TendError HTTP_NOT_ALLOWED, permanent.
 */
export function requireAllowed(options: { url: URL; allow: HttpSettings['allow']; subject: string }): void {
  const place = placeOf(options.url);
  if (options.allow.some((entry) => isSamePlace(place, entry))) return;
  const name = writeHttpPlace(place);
  throw new TendError(
    'HTTP_NOT_ALLOWED',
    `${options.subject} to "${name}" is refused: it is not in [http] allow of tend.toml.`,
    {
      hint: `If it is meant, list it in tend.toml: [http] allow = ["${name}"], then: tend tasks retry ID`,
      isPermanent: true,
    },
  );
}
