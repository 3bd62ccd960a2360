/** Settings whose stored value is a list of quoted identifiers (GUC_LIST_QUOTE, as in pg_dump's dumputils.c). */
const quotedLists = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

/** Reads an element of `setconfig`, such as `search_path="$user", public`. */
export function parseSetting(setting: string): { name: string; values: string[] } {
  const split = setting.indexOf('=');
  const name = setting.slice(0, split);
  const value = setting.slice(split + 1);
  if (!quotedLists.has(name.toLowerCase())) return { name, values: [value] };
  const elements = [...value.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^",\s]+))\s*(?:,|$)/g)];
  const values = elements.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
  return { name, values: values.length === 0 ? [''] : values };
}
