import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { fencedBlocks } from './fenced-blocks.ts';

interface Manifest {
  commands: Record<string, { flags: Record<string, { char?: string; aliases?: string[] }>; args?: object }>;
}

/** The lines of a document's sh, console and crontab blocks that call `tend`, each as its words after it. */
export async function commandsIn(document: string): Promise<string[][]> {
  const blocks = await fencedBlocks(document);
  return blocks
    .filter(({ language }) => ['', 'sh', 'console', 'crontab', 'yaml'].includes(language))
    .flatMap(({ text }) => text.replaceAll(/\\\n\s*/g, ' ').split('\n'))
    .map((line) => /(?:^|[\s$;&])tend ((?:(?!\s#|\s&&|;\s| \|).)+)/.exec(line)?.[1])
    .filter((words) => words !== undefined)
    .map((words) => words.trim().match(/'[^']*'|"[^"]*"|\S+/g) ?? []);
}

/** What oclif would say of a command line: no such command, no such flag. */
export async function findCommandFaults(words: readonly string[]): Promise<string[]> {
  const manifest: Manifest = JSON.parse(
    await readFile(fileURLToPath(new URL('../../oclif.manifest.json', import.meta.url)), 'utf8'),
  );
  if (words[0] === 'help' && words.length === 1) return [];
  const firstFlag = words.findIndex((word) => word.startsWith('-'));
  const names = words.slice(0, firstFlag === -1 ? undefined : firstFlag);
  const id = names
    .map((_, index) => names.slice(0, names.length - index).join(':'))
    .find((name) => name in manifest.commands);
  const command = manifest.commands[id ?? ''];
  if (command === undefined) return [`there is no command ${words.join(' ')}`];
  const known = Object.entries(command.flags).flatMap(([name, { char, aliases = [] }]) => [
    ...[name, ...aliases].map((word) => `--${word}`),
    ...(char === undefined ? [] : [`-${char}`, `-${char}${char}`]),
  ]);
  return words
    .filter((word) => /^--?[a-z]/i.test(word))
    .map((word) => word.replace(/=.*/, ''))
    .filter((flag) => !known.includes(flag))
    .map((flag) => `${id} has no flag ${flag}`);
}
