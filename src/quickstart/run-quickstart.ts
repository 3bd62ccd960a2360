import { join } from 'node:path';
import { formatDuration } from '../duration.ts';
import { startDemoServer } from './demo-server.ts';
import { createDemoShell } from './demo-shell.ts';
import { findPostgresBinaries } from './find-postgres-binaries.ts';
import { keepToPlay } from './keep-to-play.ts';
import { occupyPlace } from './occupy-place.ts';
import { port, quickstartPlaces } from './quickstart-places.ts';
import type { QuickstartWork, RunQuickstartOptions } from './quickstart-work.ts';
import { findServerUser } from './server-user.ts';
import { type ShownResults, showResults } from './show-results.ts';
import { startSmtpSink } from './smtp-sink.ts';
import { sessionVariables, typedPreparation, typedQuickstart } from './typed-session.ts';
import { writeDemoSite } from './write-demo-site.ts';

/** What `quickstart --json` prints. */
export interface QuickstartReport extends ShownResults {
  postgresVersion: string;
  isKept: boolean;
  /** Where the demo site and the server are, while they are. */
  demoDirectory: string;
  serverDirectory: string;
  durationMs: number;
}

/**
 * Shows the whole program at work on a private server: an application queues five tasks, one tick runs them, and what
 * they made is checked. Unless it is to be kept, nothing is left: no process, no file, whatever the end.
 *
 * @throws TendError TASK_FAILED when a part of it does not do what it should; TOOL_NOT_FOUND without PostgreSQL;
 *   MUTEX_BUSY while another quickstart is here.
 */
export async function runQuickstart(options: RunQuickstartOptions): Promise<QuickstartReport> {
  const { cwd, env, clock, transcript, afterwards, signal } = options;
  const startedMs = clock.monotonicMs();
  const places = quickstartPlaces(cwd);
  const binaries = findPostgresBinaries({ searchPath: env['PATH'] });
  const user = await findServerUser(options);
  await using place = await occupyPlace({ ...options, places, user });
  const { serverDirectory } = place;
  const variables = sessionVariables({ cwd, places, serverDirectory });
  const shell = createDemoShell({ ...options, binaries, variables });
  const work: QuickstartWork = { ...options, places, user, binaries, place, shell };
  try {
    const postgresVersion = await showServer(work);
    const results = await showSite(work);
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    transcript.heading(`All of it took ${formatDuration(durationMs)}.`);
    if (afterwards === 'keep') await keepToPlay(work);
    else transcript.note(`Nothing is left of it. To keep it and play: ${typedQuickstart(env, '--keep')}`);
    const isKept = afterwards === 'keep';
    return { postgresVersion, ...results, isKept, demoDirectory: places.demo, serverDirectory, durationMs };
  } catch (error) {
    if (afterwards === 'keep' && !signal.aborted) await keepToPlay(work);
    throw error;
  }
}

async function showServer(work: QuickstartWork): Promise<string> {
  const { transcript, shell, place, user } = work;
  const directory = place.serverDirectory;
  const as = user === undefined ? '' : `, as user ${user.name}`;
  transcript.heading(`A private PostgreSQL server in ${shell.shown(directory)}: unix socket only${as}`);
  const { version } = await startDemoServer({ ...work, directory });
  for (const line of typedPreparation({ ...work, serverDirectory: directory })) transcript.command(line);
  await shell.psql('-XAtq', '-U', 'postgres', '-d', 'postgres', '-c', 'show server_version');
  return version;
}

async function showSite(work: QuickstartWork): Promise<ShownResults> {
  const { transcript, shell, places, place, binaries } = work;
  const mailDirectory = join(places.demo, 'mail');
  await using mail = await startSmtpSink({ directory: mailDirectory });
  const mailUrl = `smtp://127.0.0.1:${mail.port}`;
  const { serverDirectory } = place;
  await writeDemoSite({ directory: places.demo, serverDirectory, port, binaries, mailUrl });
  const sql = (name: string): string => shell.shown(join(places.demo, 'sql', `${name}.sql`));

  transcript.heading(
    `A demo site in ${shell.shown(places.demo)}: tables, catalogs in three languages, a role`,
  );
  await shell.psql('-Xq', '-U', 'postgres', '-d', 'postgres', '-f', sql('roles'));
  await shell.psql('-Xq', '-f', sql('site'));
  await shell.tend('migrations', 'up', '--grant-to', 'cms_app');

  transcript.heading('The application queues five tasks, inside a transaction of its own');
  await shell.cat(join(places.demo, 'sql', 'queue-tasks.sql'));
  await shell.psql('-XAtq', '-U', 'cms_app', '-f', sql('queue-tasks'));

  transcript.heading('One tick, as cron starts it: it runs what is due and is gone');
  await shell.tend('run-due-tasks', '--drain');
  return await showResults({ ...work, mailFiles: mail.files, sql });
}
