import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestDatabase } from '../support/database.ts';
import { testRun } from '../support/test-run.ts';

/** A language with its way to PostgreSQL, as an application has them. */
export interface ClientProgram {
  /** As its example in docs/sql-api.md is titled. */
  title: string;
  isInstalled: boolean;
  /** What to say where a test is skipped for want of it: the command that installs it. */
  whySkipped: string;
  /** Runs a script to its end and returns what it printed; rejects where it fails. */
  run(script: string, as: { database: TestDatabase; role: string }): Promise<Printed>;
}

export interface Printed {
  stdout: string;
  stderr: string;
}

interface Definition {
  title: string;
  file: string | (() => string);
  /** With these it runs the script on its standard input. */
  args: readonly string[];
  cwd?: string;
  /** Succeeds where all that is needed is there. */
  probe?: readonly string[];
  /** Debian's packages. */
  packages?: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** `-I` keeps site packages of a person's own out. */
const python = { file: '/usr/bin/python3', args: ['-I', '-'] };
const ruby = { file: '/usr/bin/ruby' };
const php = { file: '/usr/bin/php' };

/** What a project brings along: settings, and an application `shop` with a model. */
const djangoProject = `
import os, sys, types, django
from django.conf import settings
database = {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}
settings.configure(DATABASES={"default": database})
django.setup()
from django.db import models
class Order(models.Model):
    customer = models.TextField()
    class Meta:
        app_label = "shop"
        db_table = "orders"
sys.modules["shop"] = types.ModuleType("shop")
sys.modules["shop.models"] = types.ModuleType("shop.models")
sys.modules["shop.models"].Order = Order
exec(compile(sys.stdin.read(), "example.py", "exec"), {"__name__": "__main__"})
`;

const railsApplication = `
require "active_record"
ActiveRecord::Base.establish_connection(adapter: "postgresql", database: ENV["PGDATABASE"])
class Order < ActiveRecord::Base; end
eval($stdin.read, TOPLEVEL_BINDING, "example.rb")
`;

const definitions: readonly Definition[] = [
  {
    ...{ title: 'SQLAlchemy', ...python },
    ...{
      probe: ['-I', '-c', 'import sqlalchemy, psycopg2'],
      packages: 'python3-sqlalchemy python3-psycopg2',
    },
  },
  {
    ...{ title: 'Django', file: python.file, args: ['-I', '-c', djangoProject] },
    ...{ probe: ['-I', '-c', 'import django, psycopg2'], packages: 'python3-django python3-psycopg2' },
  },
  {
    ...{ title: 'Rails', ...ruby, args: ['-e', railsApplication] },
    ...{ probe: ['-e', 'require "active_record"; require "pg"'], packages: 'ruby ruby-activerecord ruby-pg' },
  },
  {
    ...{ title: 'PHP PDO', ...php, args: ['-d', 'display_errors=stderr'] },
    probe: ['-r', 'exit(in_array("pgsql", PDO::getAvailableDrivers()) ? 0 : 1);'],
    packages: 'php-cli php-pgsql',
  },
  { title: 'node-postgres', file: process.execPath, args: ['--input-type=module', '-'], cwd: root },
  {
    ...{ title: 'psql', file: () => join(testRun().binaries, 'psql') },
    args: ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-v', 'customer=ann@example.org', '-f', '-'],
  },
];

export const clientPrograms: readonly ClientProgram[] = definitions.map((definition) => ({
  title: definition.title,
  isInstalled: isThere(definition),
  whySkipped: `${definition.title} is missing: apt-get install --no-install-recommends ${definition.packages}`,
  run: async (script, as) => await runScript(definition, script, as),
}));

/** The program with that title. */
export function clientProgram(title: string): ClientProgram {
  const found = clientPrograms.find((program) => program.title === title);
  if (found === undefined) throw new Error(`there is no client program "${title}"`);
  return found;
}

function isThere({ file, probe }: Definition): boolean {
  return typeof file !== 'string' || probe === undefined || spawnSync(file, [...probe]).status === 0;
}

async function runScript(
  { file, args, cwd = '/' }: Definition,
  script: string,
  { database, role }: { database: TestDatabase; role: string },
): Promise<Printed> {
  const { socketDirectory, port } = testRun();
  const env = {
    PATH: '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    ...database.env,
    PGUSER: role,
    DATABASE_URL: `postgresql:///${database.name}?host=${encodeURIComponent(socketDirectory)}&port=${port}`,
    DATABASE_DSN: `pgsql:host=${socketDirectory};port=${port};dbname=${database.name};user=${role}`,
  };
  const program = typeof file === 'string' ? file : file();
  const running = promisify(execFile)(program, [...args], { env, cwd, timeout: 60_000 });
  running.child.stdin?.on('error', () => {}); // a program that does not read its input is allowed to go
  running.child.stdin?.end(script);
  return await running;
}
