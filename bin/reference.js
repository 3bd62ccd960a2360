// Prints docs/reference.md as the code says: commands and flags, keys of tend.toml, exit codes, error codes, environment.
import { fileURLToPath } from 'node:url';
import { configMeanings } from './config-meanings.js';

/** A module of the sources; Node reads its types away. */
const source = (name) => import(new URL(`../src/${name}.ts`, import.meta.url));

/** @param manifest the text of oclif.manifest.json. */
export async function makeReference(manifest) {
  const [{ configJsonSchema }, { errorCodes }, { exitCodes }, { listEnvironmentVariables }] =
    await Promise.all([
      source('config/json-schema'),
      source('errors'),
      source('exit-codes'),
      source('cli/list-environment-variables'),
    ]);
  const commands = Object.values(JSON.parse(manifest).commands).filter(({ hidden }) => hidden !== true);
  const sections = [
    '# Reference\n\nWritten by `npm run build` from the code; do not edit. What to do about an exit or error code:' +
      ' [Troubleshooting](troubleshooting.md).',
    '[Commands](#commands) · [tend.toml](#tendtoml) · [Exit codes](#exit-codes) · [Error codes](#error-codes) ·' +
      ' [Environment](#environment)',
    '## Commands',
    globalFlags(commands),
    ...commands.map(describeCommand),
    '## tend.toml',
    'Unknown keys are errors. `*` stands for a name of your choice. Durations are written `"90s"`, `"10m"`, `"7d"`.',
    ...describeConfig(await configJsonSchema()),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning]),
    ),
    '## Error codes',
    'The `code` of an error under `--json`. A code is never renamed.',
    table(
      ['code', 'exit'],
      Object.entries(errorCodes).map(([code, name]) => [
        `[\`${code}\`](troubleshooting.md#${code.toLowerCase()})`,
        String(exitCodes[name].code),
      ]),
    ),
    '## Environment',
    'Flags win over the environment, and the environment wins over `tend.toml`.',
    table(
      ['variable', 'meaning'],
      listEnvironmentVariables().map(({ name, meaning }) => [`\`${name}\``, meaning]),
    ),
  ];
  return `${sections.join('\n\n')}\n`;
}

function table(titles, rows) {
  const lines = [titles, titles.map(() => '---'), ...rows];
  return lines
    .map(
      (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`,
    )
    .join('\n');
}

const isGlobal = ({ helpGroup }) => helpGroup === 'GLOBAL';
const nameOf = ({ id }) => `tend ${id.replaceAll(':', ' ')}`;

function globalFlags(commands) {
  const flags = new Map(
    commands.flatMap(({ flags = {} }) =>
      Object.values(flags)
        .filter(isGlobal)
        .map((flag) => [flag.name, flag]),
    ),
  );
  return `Every command takes these:\n\n${flagTable([...flags.values()])}`;
}

function describeCommand(command) {
  const { summary, description, args = {}, flags = {}, examples = [] } = command;
  const words = Object.values(args).map(
    ({ name, required, multiple }) =>
      `${required ? '' : '['}${name.toUpperCase()}${multiple ? '…' : ''}${required ? '' : ']'}`,
  );
  const own = Object.values(flags).filter((flag) => !isGlobal(flag) && flag.hidden !== true);
  const argumentRows = Object.values(args).map(({ name, description: meaning = '' }) => [
    `\`${name.toUpperCase()}\``,
    meaning,
  ]);
  return [
    `### ${nameOf(command)}`,
    `\`${[nameOf(command), ...words].join(' ')}\` — ${summary ?? ''}`,
    ...(description === undefined ? [] : [escapeAngles(description)]),
    ...(argumentRows.length === 0 ? [] : [table(['argument', 'meaning'], argumentRows)]),
    ...(own.length === 0 ? [] : [flagTable(own)]),
    `\`\`\`sh\n${examples.map((example) => example.replaceAll('<%= config.bin %>', 'tend')).join('\n')}\n\`\`\``,
  ].join('\n\n');
}

const escapeAngles = (text) => text.replaceAll('<', '&lt;');

function flagTable(flags) {
  return table(
    ['flag', 'meaning'],
    flags.map((flag) => {
      const {
        name,
        char,
        aliases = [],
        type,
        helpValue,
        options,
        multiple,
        allowNo,
        summary,
        description,
        required,
      } = flag;
      const value = type === 'boolean' ? '' : ` ${options?.join('|') ?? helpValue ?? 'VALUE'}`;
      const names = [
        ...(char ? [`-${char}`] : []),
        `--${allowNo ? '[no-]' : ''}${name}${value}`,
        ...aliases.map((alias) => `--${alias}`),
      ];
      const notes = [...(required ? ['required'] : []), ...(multiple ? ['may be repeated'] : [])];
      const note = notes.length === 0 ? '' : ` (${notes.join(', ')})`;
      return [`\`${names.join(', ')}\``, `${escapeAngles(summary ?? description ?? '')}${note}`];
    }),
  );
}

/** One table for each section of the file. */
function describeConfig(schema) {
  const rows = listKeys(schema, []);
  const unexplained = rows.filter(({ path }) => !(path in configMeanings)).map(({ path }) => path);
  if (unexplained.length > 0) {
    process.stderr.write(`bin/config-meanings.js says nothing of ${unexplained.join(', ')}\n`);
  }
  const sections = new Map();
  for (const row of rows) sections.set(row.section, [...(sections.get(row.section) ?? []), row]);
  return [...sections].map(
    ([section, keys]) =>
      `### [${section}]\n\n${table(
        ['key', 'type', 'default', 'meaning'],
        keys.map(({ key, path, type, fallback }) => [
          `\`${key}\``,
          type,
          fallback,
          configMeanings[path] ?? '',
        ]),
      )}`,
  );
}

function listKeys(schema, path) {
  const named = Object.entries(schema.properties ?? {});
  const { type, anyOf } = schema.additionalProperties || {}; // a table of anything, such as a payload, is one key
  const any = (type ?? anyOf) ? [['*', schema.additionalProperties]] : [];
  return [...named, ...any].flatMap(([key, value]) => {
    const keys = [...path, key];
    const inner = listKeys(value, keys);
    if (inner.length > 0) return inner;
    return [
      {
        key,
        section: path.join('.'),
        path: keys.join('.'),
        type: typeOf(value),
        fallback: value.default === undefined ? '' : `\`${JSON.stringify(value.default)}\``,
      },
    ];
  });
}

function typeOf(schema) {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`"${value}"\``).join(', ');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}s`;
  if (schema.type === 'integer') return `${schema.minimum ?? ''}–${schema.maximum ?? ''}`;
  return { string: 'text', boolean: 'true or false', object: 'table' }[schema.type] ?? 'value';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { makeManifest } = await import('./manifest.js');
  process.stdout.write(await makeReference(await makeManifest()));
}
