/** Names of remotes have no slash, and ids no colon. */
const inRemote = /^([A-Za-z0-9][A-Za-z0-9_-]*):([^/]+)$/;

/** What `offsite:latest` means: a remote, and an id or `latest` in it. Undefined for a source that is not in a remote. */
export function remoteSource(source: string): { remote: string; id: string } | undefined {
  const [, remote, id] = inRemote.exec(source) ?? [];
  return remote === undefined || id === undefined ? undefined : { remote, id };
}
