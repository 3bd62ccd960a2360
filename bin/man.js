// Writes the man pages, tend(1) and one for each command, as the manifest says: plain roff with the man macros.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param manifest the text of oclif.manifest.json.
 * @returns the text of each page by its file name: `tend.1`, `tend-backup-list.1`.
 */
export async function makeManPages(manifest) {
  const { exitCodes } = await import(new URL('../src/exit-codes.ts', import.meta.url));
  const { commands: all, version } = JSON.parse(manifest);
  const commands = Object.values(all).filter(({ hidden }) => hidden !== true);
  const exitStatus = [
    '.SH EXIT STATUS',
    ...Object.values(exitCodes).flatMap(({ code, meaning }) => tagged(String(code), meaning)),
  ];
  const pages = commands.map((command) => [
    `${pageName(command)}.1`,
    toText([...describeCommand(command, version), ...exitStatus, '.SH SEE ALSO', '.BR tend (1)']),
  ]);
  const overview = toText([...describeProgram(commands, version), ...exitStatus]);
  return Object.fromEntries([['tend.1', overview], ...pages]);
}

/** Writes the pages into `directory`, which is made. */
export async function writeManPages(manifest, directory) {
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(await makeManPages(manifest))) {
    writeFileSync(join(directory, name), text);
  }
}

const pageName = ({ id }) => `tend-${id.replaceAll(':', '-')}`;
const toText = (lines) => `${lines.join('\n')}\n`;
const heading = (name, version = '') => `.TH "${name.toUpperCase()}" 1 "" "tend ${version}" "tend"`;

/** Backslashes and hyphens mean something to roff, and so does a dot or a quote that begins a line. */
function escape(text) {
  const plain = text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
  return plain.replaceAll(/^(?=[.'])/gm, '\\&').replaceAll(/\n\n+/g, '\n.PP\n');
}

const tagged = (tag, text) => ['.TP', `.B ${escape(tag)}`, escape(text)];

function describeProgram(commands, version) {
  return [
    heading('tend', version),
    '.SH NAME',
    'tend \\- ops chores of an application on PostgreSQL',
    '.SH SYNOPSIS',
    '.B tend',
    'COMMAND [ARGUMENT ...] [OPTION ...]',
    '.SH DESCRIPTION',
    escape(
      'Called by cron every minute, "tend run-due-tasks" runs what is due. Each command has a page of its own.',
    ),
    '.SH COMMANDS',
    ...commands.flatMap((command) => [
      '.TP',
      `.BR ${escape(pageName(command))} (1)`,
      escape(command.summary ?? ''),
    ]),
    '.SH EXAMPLES',
    '.nf',
    ...['tend init', 'tend status', 'tend autocomplete bash'],
    '.fi',
  ];
}

function describeCommand(command, version) {
  const { id, summary = '', description = summary, args = {}, flags = {}, examples = [] } = command;
  const words = Object.values(args).map(({ name, required, multiple }) => {
    const word = `${name.toUpperCase()}${multiple ? ' ...' : ''}`;
    return required ? word : `[${word}]`;
  });
  const shown = Object.values(flags).filter(({ hidden }) => hidden !== true);
  return [
    heading(pageName(command), version),
    '.SH NAME',
    `${escape(pageName(command))} \\- ${escape(summary)}`,
    '.SH SYNOPSIS',
    `.B tend ${escape(id.replaceAll(':', ' '))}`,
    escape([...words, '[OPTION ...]'].join(' ')),
    '.SH DESCRIPTION',
    escape(description),
    ...Object.values(args).flatMap(({ name, description: meaning = '' }) =>
      tagged(name.toUpperCase(), meaning),
    ),
    '.SH OPTIONS',
    ...shown.flatMap(describeFlag),
    '.SH EXAMPLES',
    '.nf',
    ...examples.map((example) => escape(example.replaceAll('<%= config.bin %>', 'tend'))),
    '.fi',
  ];
}

function describeFlag({ name, char, aliases = [], type, helpValue, options, allowNo, summary, description }) {
  const value = type === 'boolean' ? '' : ` ${options?.join('|') ?? helpValue ?? 'VALUE'}`;
  const names = [
    ...(char ? [`-${char}`] : []),
    `--${allowNo ? '[no-]' : ''}${name}${value}`,
    ...aliases.map((alias) => `--${alias}`),
  ];
  return tagged(names.join(', '), summary ?? description ?? '');
}
