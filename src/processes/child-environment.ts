const allowed = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR', 'LOGNAME', 'USER', 'SHELL'];

/**
 * The environment of a child: an allow-list of ordinary variables plus what the caller adds by name. Everything else
 * of ours (database passwords, tokens of the application) stays here.
 */
export function childEnvironment(
  base: NodeJS.ProcessEnv,
  added: Record<string, string> = {},
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name of allowed) {
    const value = base[name];
    if (value !== undefined) result[name] = value;
  }
  result['PATH'] ??= '/usr/local/bin:/usr/bin:/bin';
  return { ...result, ...added };
}
