import { invalidSettings } from '../../connection/invalid-settings.ts';

export interface IniValue {
  text: string;
  line: number;
}

/** Sections in the order of the file; `DEFAULT` is one of them. Names are case-sensitive, as Paste Deploy has them. */
export type IniFile = Map<string, Map<string, IniValue>>;

/**
 * Reads an .ini file as Python's configparser does: `key = value` or `key: value`, comments only on lines of their
 * own, indented lines continue a value. A later value of the same key wins.
 */
export function parseIni(content: string, path: string): IniFile {
  const file: IniFile = new Map();
  let section: Map<string, IniValue> | undefined;
  let value: IniValue | undefined;
  let indentOfKey = 0;
  for (const [index, rawLine] of content
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = rawLine.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const indent = rawLine.length - rawLine.trimStart().length;
    if (value !== undefined && indent > indentOfKey) {
      value.text += `\n${line}`;
      continue;
    }
    const header = /^\[(.+)\]/.exec(line)?.[1];
    if (header !== undefined) {
      section = file.get(header) ?? new Map();
      file.set(header, section);
      value = undefined;
      continue;
    }
    const [, key, text] = /^(.*?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (section === undefined || key === undefined || key === '' || text === undefined) {
      throw invalidSettings(`"${path}", line ${index + 1}`, '[section] or key = value was expected');
    }
    value = { text, line: index + 1 };
    indentOfKey = indent;
    section.set(key, value);
  }
  return file;
}
