import { createHash } from 'node:crypto';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';

/** A directory with what archives stumble over. */
export function plantTree(directory: string): void {
  const at = (name: string | Buffer) => Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name)]);
  mkdirSync(directory, { recursive: true });
  mkdirSync(at('empty'));
  mkdirSync(at('w*ld [x]'));
  writeFileSync(at('w*ld [x]/page.html'), '<p>');
  writeFileSync(at('--exclude=*'), 'a name that looks like an option');
  writeFileSync(at('-'), 'dash');
  writeFileSync(at('new\nline "and" \'quotes\' $HOME ;rm'), 'x');
  writeFileSync(at('back\\nslash'), 'y');
  writeFileSync(at('żółć 图.txt'), 'z');
  writeFileSync(at(Buffer.from('latin\xf6', 'latin1')), 'no UTF-8');
  writeFileSync(at(`${'long-name'.repeat(25)}.jpg`), 'l');
  writeFileSync(at('script.sh'), '#!/bin/sh\n', { mode: 0o750 });
  writeFileSync(at('old'), 'old');
  utimesSync(at('old'), new Date('2001-02-03T04:05:06Z'), new Date('2001-02-03T04:05:06.789Z'));
  linkSync(at('old'), at('hard link'));
  symlinkSync('/etc/passwd', at('absolute link'));
  symlinkSync('../../elsewhere', at('dangling link'));
  symlinkSync('empty', at('link'));
  writeFileSync(at('sparse'), 'begin');
  truncateSync(at('sparse'), 8 * 1024 * 1024);
  mkdirSync(at('closed'));
  writeFileSync(at('closed/file'), 'c');
}

/** What a backup must bring back of every entry, one line each; names as they are, byte by byte. */
export function describeTree(directory: string): string[] {
  const lines: string[] = [];
  const inodes = new Map<number, string>();
  const visit = (path: Buffer, shown: string) => {
    const found = lstatSync(path);
    const kind = found.isDirectory() ? 'd' : found.isSymbolicLink() ? 'l' : found.isFile() ? 'f' : '?';
    const mode = kind === 'l' ? '' : (found.mode & 0o7777).toString(8);
    const time = kind === 'l' ? '' : Math.round(found.mtimeMs);
    const own = inodes.get(found.ino);
    inodes.set(found.ino, own ?? shown);
    const content =
      kind === 'f'
        ? createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)
        : kind === 'l'
          ? readlinkSync(path)
          : '';
    lines.push([kind, mode, time, content, own === undefined ? '' : `= ${own}`, shown].join(' '));
    if (kind !== 'd') return;
    for (const name of readdirSync(path, { encoding: 'buffer' }).sort(Buffer.compare))
      visit(Buffer.concat([path, Buffer.from('/'), name]), `${shown}/${name.toString('latin1')}`);
  };
  visit(Buffer.from(directory), '');
  return lines;
}
