import { invalidSettings } from './invalid-settings.ts';
import type { ConnectionParameters } from './libpq-parameters.ts';
import type { ConnectionText } from './parse-connection-string.ts';
import { storeParameter } from './store-parameter.ts';

/**
 * Reads `host=/run/postgresql dbname='my db'` by libpq's rules: spaces around `=` are allowed, quotes and backslashes
 * as in conninfo_parse of fe-connect.c, a later value replaces an earlier one.
 */
export function parseConninfo({ text, origin, secrets }: ConnectionText): ConnectionParameters {
  const parameters: ConnectionParameters = {};
  let rest = text.trimStart();
  while (rest !== '') {
    const key = /^([^=\s]+)\s*=\s*/.exec(rest);
    const name = key?.[1];
    if (key === null || name === undefined) {
      throw invalidSettings(
        origin,
        'a URL (postgresql://…) or key=value pairs were expected, and a "=" is missing',
      );
    }
    const value = takeValue(rest.slice(key[0].length));
    if (value === undefined) throw invalidSettings(origin, `the quoted value of "${name}" has no end`);
    storeParameter({ parameters, name, value: value.text, origin, secrets });
    rest = value.rest.trimStart();
  }
  return parameters;
}

/** One value, quoted or bare; undefined where the closing quote is missing. */
function takeValue(text: string): { text: string; rest: string } | undefined {
  const isQuoted = text.startsWith("'");
  const pattern = isQuoted ? /^'((?:\\[\s\S]|[^'\\])*)'/ : /^((?:\\[\s\S]|[^\s\\])*)\\?/;
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const unescaped = (match[1] ?? '').replaceAll(/\\([\s\S])/g, '$1');
  return { text: unescaped, rest: text.slice(match[0].length) };
}
