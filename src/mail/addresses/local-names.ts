import type { MailAddress } from './mail-address.ts';
import { parseAddress } from './parse-address.ts';

/** What completes addresses on a machine whose programs write to `root`. */
export interface LocalNames {
  /** `[mail] from`: its domain completes names without one. */
  defaultFrom: string | undefined;
  /** `[mail.aliases]`, names in lower case; `*` stands for every other name. */
  aliases: Readonly<Record<string, string | readonly string[]>>;
  /** Stands in where no `[mail] from` is configured. */
  hostName: string;
}

/** A name without a domain: `root`, `www-data`. */
const bareName = /^[\w+-]+(\.[\w+-]+)*$/;

export function isBareName(text: string): boolean {
  return bareName.test(text);
}

/** The domain of this machine's mail. */
export function localDomain({ defaultFrom, hostName }: LocalNames): string {
  if (defaultFrom === undefined) return hostName;
  const { address } = parseAddress({ text: defaultFrom, field: 'tend.toml [mail] from' });
  return address.slice(address.lastIndexOf('@') + 1);
}

/**
 * A name without a domain as an address; an address is read as strictly as any other.
 *
 * @throws TendError MAIL_ADDRESS_INVALID.
 */
export function qualifyAddress(names: LocalNames, text: string, field: string): MailAddress {
  return parseAddress({ text: isBareName(text) ? `${text}@${localDomain(names)}` : text, field });
}

/**
 * Who gets what is sent to `text`: where a name has an alias, whom that names.
 *
 * @throws TendError MAIL_ADDRESS_INVALID.
 */
export function expandRecipient(names: LocalNames, text: string, field: string): string[] {
  const { aliases } = names;
  const alias = isBareName(text) ? (own(aliases, text.toLowerCase()) ?? own(aliases, '*')) : undefined;
  if (alias === undefined) return [qualifyAddress(names, text, field).address];
  const targets = typeof alias === 'string' ? [alias] : alias;
  return targets.map((target) => parseAddress({ text: target, field: 'tend.toml [mail.aliases]' }).address);
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
