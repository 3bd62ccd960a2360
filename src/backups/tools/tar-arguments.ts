import { type FileRoot, isWithin } from '../create/file-roots.ts';

/** Names in messages and lists one a line, whatever bytes they have; see `unescapeName`. */
const plainNames = ['--quoting-style=escape', '--no-unquote'];

/** What is stored of a file beside its content. Without support on either side tar warns, and goes on. */
const attributes = ['--numeric-owner', '--xattrs', '--acls'];

export interface PackArguments {
  roots: readonly FileRoot[];
  /** `[backup] exclude`. */
  exclude: readonly string[];
  /** The real path of the backup directory, which is never packed into itself. */
  backupDirectory: string;
  /** Two roots share a file by hard links; each is unpacked alone, so that each gets it whole. */
  sharesFiles: boolean;
}

/** Arguments that pack the roots, after `--create` and where it goes. */
export function packArguments(options: PackArguments): string[] {
  const { roots, exclude, backupDirectory, sharesFiles } = options;
  return [
    '--format=pax',
    '--pax-option=delete=atime,delete=ctime',
    '--sparse',
    ...(sharesFiles ? ['--hard-dereference'] : []),
    ...attributes,
    ...plainNames,
    '--anchored',
    '--no-wildcards',
    `--exclude=${backupDirectory.slice(1)}`,
    '--wildcards',
    ...exclude.filter(isAnchored).map((pattern) => `--exclude=${inArchive(pattern, roots)}`),
    '--no-anchored',
    ...exclude.filter((pattern) => !isAnchored(pattern)).map((pattern) => `--exclude=${pattern}`),
    '--directory=/',
    '--',
    ...roots.map(({ member }) => member),
  ];
}

/**
 * Arguments that unpack one root into `directory`, under its last name. GNU tar refuses names with `..` and makes
 * links that lead elsewhere only at its end, so that nothing is written through them.
 */
export function unpackArguments(options: { member: string; directory: string }): string[] {
  const { member, directory } = options;
  return [
    '--extract',
    '--file=-',
    '--preserve-permissions',
    ...attributes,
    ...plainNames,
    '--no-wildcards',
    `--strip-components=${member.split('/').length - 1}`,
    `--directory=${directory}`,
    '--',
    member,
  ];
}

function isAnchored(pattern: string): boolean {
  return pattern.startsWith('/');
}

/** `/srv/cms/media/cache` as it is called in the archive, where the root may be a link to elsewhere. */
function inArchive(pattern: string, roots: readonly FileRoot[]): string {
  const root = roots.find(({ path }) => isWithin(pattern, path));
  return root === undefined ? pattern.slice(1) : root.member + pattern.slice(root.path.length);
}
