import { createHash, createHmac } from 'node:crypto';

/** A line of a known_hosts file, sshd(8). */
interface KnownHost {
  marker: string | undefined;
  hosts: string;
  type: string;
  key: string;
}

/** What known_hosts files say about the key a server has shown. */
export type HostKeyVerdict = 'known' | 'unknown' | 'changed' | 'revoked';

/** How known_hosts names a server: the port only where it is not 22. */
export function hostLabel(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

/** Judges a key in the form it has in the protocol. A key of another type than those on file counts as changed. */
export function judgeHostKey(text: string, label: string, key: Buffer): HostKeyVerdict {
  const encoded = key.toString('base64');
  const entries = entriesFor(text, label);
  if (entries.some((entry) => entry.marker === '@revoked' && entry.key === encoded)) return 'revoked';
  const valid = entries.filter(({ marker }) => marker === undefined);
  if (valid.some((entry) => entry.key === encoded)) return 'known';
  return valid.length === 0 ? 'unknown' : 'changed';
}

/** The types of the keys on file for a server: it is asked for one of those. */
export function knownKeyTypes(text: string, label: string): string[] {
  const types = entriesFor(text, label).flatMap(({ marker, type }) => (marker === undefined ? [type] : []));
  return [...new Set(types)];
}

/** `SHA256:…`, as ssh-keygen -l prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The line that makes a key known. */
export function knownHostsLine(label: string, key: Buffer): string {
  return `${label} ${keyType(key)} ${key.toString('base64')}`;
}

/** A key begins with its type, RFC 4253 §6.6. */
function keyType(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

function entriesFor(text: string, label: string): KnownHost[] {
  return text.split('\n').flatMap((line) => {
    const entry = parseLine(line);
    return entry !== undefined && matches(entry.hosts, label) ? [entry] : [];
  });
}

function parseLine(line: string): KnownHost | undefined {
  const words = line.trim().split(/\s+/);
  const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
  const [hosts, type, key] = words;
  if (hosts === undefined || hosts.startsWith('#') || type === undefined || key === undefined)
    return undefined;
  return { marker, hosts, type, key };
}

function matches(hosts: string, label: string): boolean {
  if (hosts.startsWith('|')) return matchesHash(hosts, label);
  const patterns = hosts.split(',');
  const isRefused = patterns.some(
    (pattern) => pattern.startsWith('!') && matchesPattern(pattern.slice(1), label),
  );
  return !isRefused && patterns.some((pattern) => matchesPattern(pattern, label));
}

/** `|1|salt|hash`: HMAC-SHA1 of the name. */
function matchesHash(hosts: string, label: string): boolean {
  const [, version, salt = '', hash] = hosts.split('|');
  if (version !== '1') return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(label).digest('base64') === hash;
}

function matchesPattern(pattern: string, label: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i').test(label);
}
