import { spawnSync } from 'node:child_process';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const query =
  "import type { Kysely } from 'kysely';\nexport async function f(db: Kysely<{ t: { a: number } }>): Promise<void> {\n  BODY\n}\n";

/** A file that must be refused, and the rule that must refuse it. */
const violations = [
  {
    file: 'src/backups/a.ts',
    source: query.replace('BODY', "await db.selectFrom('t').selectAll();"),
    rule: 'await-thenable',
  },
  {
    file: 'src/backups/b.ts',
    source: query.replace('BODY', "db.selectFrom('t').selectAll();"),
    rule: 'no-dropped-query',
  },
  {
    file: 'src/backups/c.ts',
    source: query.replace('BODY', "db.deleteFrom('t').where('a', '=', 1);"),
    rule: 'no-dropped-query',
  },
  {
    file: 'src/backups/d.ts',
    source: query.replace('BODY', "db.selectFrom('t').selectAll().execute();"),
    rule: 'no-floating-promises',
  },
  {
    file: 'src/backups/e.ts',
    source: 'export const a = (b: string[]): void => b.forEach(async () => {});\n',
    rule: 'no-misused-promises',
  },
  { file: 'src/backups/f.ts', source: 'export const a = (b: any): unknown => b;\n', rule: 'no-explicit-any' },
  {
    file: 'src/backups/g.ts',
    source: 'export const a = (b: string | undefined): string => b!;\n',
    rule: 'no-non-null-assertion',
  },
  { file: 'src/backups/h.ts', source: "console.log('x');\n", rule: 'no-console' },
  { file: 'src/backups/i.ts', source: 'export const a = process.env.HOME;\n', rule: 'no-process-env' },
  { file: 'src/backups/j.ts', source: 'export default 1;\n', rule: 'no-default-export' },
  ...[
    ['src/backups/k.ts', '@oclif/core'],
    ['src/backups/l.ts', 'execa'],
    ['src/backups/m.ts', 'node:child_process'],
    ['src/backups/n.ts', '../mail/send-once.ts'],
    ['src/backups/o.ts', '../cli/output.ts'],
    ['src/backups/p.ts', '../../commands/backup.ts'],
    ['src/backups/q.ts', 'nodemailer/lib/mime-node/index.js'],
    ['src/mail/r.ts', 'pg'],
    ['src/mail/s.ts', 'gettext-parser'],
    ['src/connection/t.ts', '../database/tables.ts'],
    ['src/database/u.ts', '../tasks/claim-due-tasks.ts'],
    ['src/crontab/u.ts', '../database/tables.ts'],
    ['src/init/u.ts', '../database/tables.ts'],
    ['src/http/ua.ts', '../mail/send-once.ts'],
    ['src/mail/ub.ts', '../http/call-service.ts'],
    ['src/errors.ts', './config/schema.ts'],
    ['src/cli/v.ts', 'listr2'],
    ['src/config/v.ts', '../schedules/next-occurrence.ts'],
    ['src/config/readers/w.ts', '../../schedules/record-runs.ts'],
    ['src/tasks/w.ts', '../backups/backup-set.ts'],
    ['src/tasks/handlers/x.ts', '../../cli/output.ts'],
    ['src/report/xa.ts', '../tasks/adopt-copy.ts'],
    ['src/report/doctor/xb.ts', '../../backups/create-backup.ts'],
    ['commands/y.ts', 'kysely'],
    ['commands/tasks/z.ts', './show.ts'],
    ['commands/tasks/za.ts', '../backup.ts'],
    ['commands/tasks/zb.ts', '../schedules/index.ts'],
  ].flatMap(([file = '', name = '']) => [
    { file, source: `import * as a from '${name}';\na;\n`, rule: 'no-restricted-imports' },
    {
      file: file.replace(/\.ts$/, '-lazy.ts'),
      source: `await import('${name}');\n`,
      rule: 'no-restricted-imports',
    },
  ]),
  ...[
    ['src/schedules/find-runs.ts', './record-runs.ts'],
    ['src/schedules/local-times.ts', '../clock.ts'],
    ['src/schedules/next-occurrence.ts', 'kysely'],
    ['src/schedules/parse-cron.ts', '../config/schema.ts'],
    ['src/schedules/zone-spans.ts', 'node:fs'],
  ].map(([file = '', name = '']) => ({
    file,
    source: `import * as a from '${name}';\na;\n`,
    rule: 'no-restricted-imports',
  })),
  { file: 'bin/run.js', source: "await import('../src/cli/run-body.ts');\n", rule: 'no-restricted-imports' },
];

/** What looks alike and is right. */
const allowed = [
  { file: 'src/tasks/handlers/a.ts', source: "export { a } from '../../backups/b.ts';\n" },
  { file: 'src/database/a.ts', source: "import type { B } from '../tasks/states.ts';\nexport type A = B;\n" },
  { file: 'src/config/a.ts', source: "export { a } from '../schedules/parse-cron.ts';\n" },
  { file: 'src/config/b.ts', source: "export { a } from '../schedules/check-timezone.ts';\n" },
  { file: 'src/schedules/check-timezone.ts', source: "export { a } from '../closest-name.ts';\n" },
  { file: 'src/schedules/describe-occurrences.ts', source: "export { a } from './find-runs.ts';\n" },
  { file: 'src/report/a.ts', source: "export { a } from '../tasks/find-b.ts';\n" },
  { file: 'src/report/doctor/a.ts', source: "export { a } from '../../backups/find-b.ts';\n" },
  {
    file: 'src/report/b.ts',
    source: "import type { B } from '../tasks/states.ts';\nexport type A = B;\n",
  },
  { file: 'src/schedules/a.ts', source: "export { a } from '../tasks/b.ts';\n" },
  { file: 'commands/a.ts', source: "export { a } from '../src/cli/b.ts';\n" },
  { file: 'commands/tasks/a.ts', source: "export { a } from '../../src/tasks/b.ts';\n" },
  {
    file: 'src/database/b.ts',
    source: query.replace('BODY', "await db.selectFrom('t').selectAll().execute();"),
  },
];

interface Diagnostic {
  code: string;
  filename: string;
}

let project: TemporaryDirectory;
let diagnostics: Diagnostic[];
let status: number | null;

beforeAll(async () => {
  project = await temporaryDirectory();
  for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json', 'test/tooling/oxlint-kysely.js']) {
    await mkdir(dirname(join(project.path, name)), { recursive: true });
    await cp(join(root, name), join(project.path, name));
  }
  await symlink(join(root, 'node_modules'), join(project.path, 'node_modules'));
  for (const { file, source } of [...violations, ...allowed]) {
    await mkdir(dirname(join(project.path, file)), { recursive: true });
    await writeFile(join(project.path, file), source);
  }
  const program = join(root, 'node_modules/.bin/oxlint');
  const options = { cwd: project.path, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 } as const;
  const result = spawnSync(program, ['--type-aware', '--format', 'json'], options);
  status = result.status;
  diagnostics = JSON.parse(result.stdout).diagnostics;
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
});

function rulesBrokenIn(file: string): string[] {
  return diagnostics
    .filter(({ filename }) => filename === file)
    .map(({ code }) => /\((.+)\)/.exec(code)?.[1] ?? code);
}

describe('the linter', () => {
  it('fails', () => {
    expect(status).toBe(1);
  });

  it.each(violations)('refuses $rule in $file: $source', ({ file, rule }) => {
    expect(rulesBrokenIn(file)).toContain(rule);
  });

  it.each(allowed)('accepts $file: $source', ({ file }) => {
    const watched = ['no-restricted-imports', 'no-dropped-query', 'await-thenable', 'no-floating-promises'];
    expect(rulesBrokenIn(file).filter((rule) => watched.includes(rule))).toEqual([]);
  });
});
