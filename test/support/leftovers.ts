import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface LeftoversOptions {
  id: string;
  temporaryDirectory: string;
  socketDirectory: string;
  port: number;
  superuser: string;
}

/**
 * What the suite should not have left: database sessions, processes, temporary files; one line each. What is just
 * going (a worker that is being stopped) gets a few seconds.
 */
export async function findLeftovers(options: LeftoversOptions): Promise<string[]> {
  const deadline = performance.now() + 5000;
  for (;;) {
    const found = [...(await sessions(options)), ...(await processes(options)), ...(await files(options))];
    if (found.length === 0 || performance.now() > deadline) return found;
    await sleep(100);
  }
}

async function sessions(options: LeftoversOptions): Promise<string[]> {
  const client = new pg.Client({
    host: options.socketDirectory,
    port: options.port,
    user: options.superuser,
    database: 'postgres',
  });
  await client.connect();
  try {
    const { rows } = await client.query<{ line: string }>(`
      select format('session %s of "%s" in database %s (%s): %s', pid, application_name, datname, state, left(query, 80)) as line
        from pg_stat_activity
       where pid <> pg_backend_pid() and backend_type in ('client backend', 'walsender')
    `);
    return rows.map(({ line }) => line);
  } finally {
    await client.end();
  }
}

/** Linux only: processes whose environment names this run, by TEND_TEST_RUN or by a directory of it. */
async function processes({ id }: LeftoversOptions): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found: string[] = [];
  for (const pid of pids) {
    if (Number(pid) === process.pid) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (!environment.includes(id)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command !== '') found.push(`process ${pid}: ${command.replaceAll('\0', ' ').trim().slice(0, 200)}`);
  }
  return found;
}

async function files({ temporaryDirectory }: LeftoversOptions): Promise<string[]> {
  const names = await readdir(temporaryDirectory);
  return names.map((name) => `temporary file ${temporaryDirectory}/${name}`);
}
