import type { Log } from '../../log.ts';

/** Files that an archive does not hold as they are. */
export interface NamedFiles {
  count: number;
  /** The first of them. */
  names: string[];
}

export interface FileProblems {
  /** They are not in the archive, or only in part. */
  unreadable: NamedFiles;
  /** They changed, or went, while they were read: what is in the archive may be half of each version. */
  changed: NamedFiles;
}

const longestList = 100;

const changing =
  /^(?:\S*\/)?g?tar: (.+): (?:file changed as we read it|File removed before we read it|File shrank by .*)$/s;
const failing = /^(?:\S*\/)?g?tar: (.+)(?<!: Warning): (?:Cannot|Read error) [^:]*(?:: .*)?$/s;

/**
 * Listens to what tar says, in English, about single files; passes everything on. Warnings about what is never
 * packed (sockets), or about attributes that the file system does not have, are no problems.
 */
export function listenToTar(log: Log): { log: Log; problems: FileProblems } {
  const problems: FileProblems = {
    unreadable: { count: 0, names: [] },
    changed: { count: 0, names: [] },
  };
  const note = (list: NamedFiles, name: string | undefined) => {
    if (name === undefined) return;
    list.count += 1;
    if (list.names.length < longestList) list.names.push(`/${unescapeName(name)}`);
  };
  return {
    problems,
    log: {
      ...log,
      debug(line) {
        note(problems.changed, changing.exec(line)?.[1]);
        note(problems.unreadable, failing.exec(line)?.[1]);
        log.debug(line);
      },
    },
  };
}

const escapes: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** A name as tar writes it with `--quoting-style=escape`: `\n`, `\\`, and octal for bytes that are no ASCII. */
export function unescapeName(text: string): string {
  const bytes = text.replace(/\\([0-7]{3}|.)/gs, (_whole, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (escapes[code] ?? code),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
