// Bundles the sources into dist/: one entry per command plus those below, code shared by splitting; and the man pages.
//   node bin/build.js          dist/, oclif.manifest.json and docs/reference.md
//   node bin/build.js --dist   dist/ only
//   node bin/build.js --check  dist/, and fails when one of the two committed files is not what the code says
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { withoutBuiltinImports } from './builtin-imports.js';
import { deferPasswordCode } from './defer-password-code.js';
import { joinTick } from './join-tick.js';
import { writeManPages } from './man.js';
import { makeManifest } from './manifest.js';
import { makeReference } from './reference.js';
import { rememberEncodingNames } from './remember-encoding-names.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Entries that are no commands: what oclif and bin/sendmail.js load, and the program of a thread. */
const otherEntries = {
  'command-not-found': 'src/cli/command-not-found.ts',
  'framework-error': 'src/cli/framework-error.ts',
  sendmail: 'src/cli/sendmail-entry.ts',
  'compile-thread': 'src/translations/compile-thread.ts',
};

/** Bundled apart: a tick starts every minute, and shared chunks would bring it code that only commands need. */
const tickEntry = { tick: 'src/cli/tick-entry.ts' };

function commandEntries() {
  const files = globSync('commands/**/*.ts', { cwd: root }).sort();
  return Object.fromEntries(files.map((file) => [file.replace(/\.ts$/, ''), file]));
}

/** Bundled apart, a file each: what the process of every attempt at a module loads, and what modules import. */
const moduleEntries = { 'run-module': 'src/tasks/modules/run-module.ts', index: 'src/index.ts' };

/** What `import … from 'tend'` is typed with in a project that has the package. */
function writeDeclarations(outdir) {
  const require = createRequire(import.meta.url);
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  const language = [
    '--ignoreConfig',
    '--strict',
    '--target',
    'es2024',
    '--module',
    'nodenext',
    '--types',
    '',
  ];
  const output = ['--declaration', '--emitDeclarationOnly', '--outDir', outdir];
  execFileSync(process.execPath, [tsc, join(root, 'src/index.ts'), ...language, ...output], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** JSON Schema of tend.toml is computed here, once, so that the converter is no runtime dependency. */
const jsonSchemaAtBuildTime = {
  name: 'json-schema-at-build-time',
  setup(plugin) {
    plugin.onLoad({ filter: /[\\/]src[\\/]config[\\/]json-schema\.ts$/ }, async ({ path }) => {
      const { configJsonSchema } = await import(path);
      const schema = JSON.stringify(await configJsonSchema());
      return { contents: `export const configJsonSchema = async () => (${schema});`, loader: 'js' };
    });
  },
};

async function bundle({ entries, outdir, chunks, plugins = [] }) {
  const existing = Object.entries(entries).filter(([, source]) => existsSync(join(root, source)));
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: existing.map(([out, source]) => ({ in: join(root, source), out })),
    outdir,
    chunkNames: `${chunks}/[name]-[hash]`,
    bundle: true,
    write: false,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    logLevel: 'warning',
    // ssh2 has compiled parts; the AWS SDK finds its credential providers by itself. Only remotes load them.
    external: ['@oclif/core', 'pg-native', '@aws-sdk/*', 'ssh2'],
    plugins: [jsonSchemaAtBuildTime, deferPasswordCode, rememberEncodingNames, ...plugins],
    // pg, nodemailer and others are CommonJS and call require for Node's own modules.
    banner: {
      js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);",
    },
  });
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, withoutBuiltinImports(text));
  }
}

/** A new dist/ takes the place of the old one at the end, so that a `tend` running meanwhile finds all its chunks. */
async function replaceDist() {
  const [fresh, current, old] = [`.dist-new-${process.pid}`, 'dist', `.dist-old-${process.pid}`].map((name) =>
    join(root, name),
  );
  try {
    await Promise.all([
      bundle({ entries: { ...commandEntries(), ...otherEntries }, outdir: fresh, chunks: 'chunks' }),
      bundle({
        entries: tickEntry,
        outdir: fresh,
        chunks: 'tick-chunks',
        plugins: [joinTick(join(root, tickEntry.tick))],
      }),
      bundle({ entries: moduleEntries, outdir: fresh, chunks: 'module-chunks' }),
    ]);
    writeDeclarations(fresh);
    if (existsSync(current)) renameSync(current, old);
    renameSync(fresh, current);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

/** What is generated from the code and committed, by name. */
async function makeCommittedFiles() {
  const manifest = await makeManifest();
  return { 'oclif.manifest.json': manifest, 'docs/reference.md': await makeReference(manifest) };
}

const mode = process.argv[2];
await replaceDist();
for (const [name, text] of Object.entries(mode === '--dist' ? {} : await makeCommittedFiles())) {
  const file = join(root, name);
  if (mode === undefined) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`${name} is not fresh: run "npm run build" and commit it.\n`);
    process.exitCode = 1;
  }
}
await writeManPages(readFileSync(join(root, 'oclif.manifest.json'), 'utf8'), join(root, 'dist/man'));
