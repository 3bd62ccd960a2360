import { TendError } from '../../errors.ts';

/**
 * The locales to look for, the nearest first: `pt_BR` → `pt_BR`, `pt`; `sr_RS@latin` → `sr_RS@latin`, `sr@latin`, `sr_RS`, `sr`.
 * `pt-BR` and `pt_BR.UTF-8` are `pt_BR`.
 *
 * @throws TendError MAIL_MESSAGE_INVALID, permanent, for what is no locale.
 */
export function localeChain(locale: string | undefined): string[] {
  if (locale === undefined) return [];
  const parts =
    /^([a-z]{2,3})(?:[_-]([a-z]{4}))?(?:[_-]([a-z]{2}|\d{3}))?(?:\.[a-z0-9-]+)?(?:@([a-z0-9]+))?$/i.exec(
      locale,
    );
  if (parts === null) {
    throw new TendError(
      'MAIL_MESSAGE_INVALID',
      `${JSON.stringify(locale.slice(0, 80))} is not a locale such as "pl" or "pt_BR".`,
      { isPermanent: true },
    );
  }
  const [, language = '', script, territory, variant] = parts;
  const base = language.toLowerCase();
  const scripted =
    script === undefined ? base : `${base}_${script[0]?.toUpperCase()}${script.slice(1).toLowerCase()}`;
  const full = territory === undefined ? scripted : `${scripted}_${territory.toUpperCase()}`;
  const plain = [...new Set([full, scripted, base])];
  if (variant === undefined) return plain;
  return [...plain.map((each) => `${each}@${variant.toLowerCase()}`), ...plain];
}
