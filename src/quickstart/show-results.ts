import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TendError } from '../errors.ts';
import { decodeByteText } from '../translations/byte-text.ts';
import { readMo } from '../translations/read-mo.ts';
import { demoCatalogs, sampleMessage } from './demo-catalogs.ts';
import { type FinishedTask, readFinishedTasks } from './finished-tasks.ts';
import type { QuickstartWork } from './quickstart-work.ts';
import { catalogFile, demoImages } from './write-demo-site.ts';

/** What was made, each part of it checked. */
export interface ShownResults {
  tasks: FinishedTask[];
  backup: { id: string; isVerified: boolean };
  /** One message as the compiled catalogs translate it. */
  translations: { file: string; message: string; translation: string }[];
  /** The messages that the mail server took. */
  mail: string[];
  images: string[];
  restored: { database: string; isEqual: boolean };
  sessionsLeft: number;
}

export interface ShowResultsOptions extends QuickstartWork {
  mailFiles: readonly string[];
  /** Path of one of the demo site's SQL files, as it is typed. */
  sql: (name: string) => string;
}

/**
 * Shows what the five tasks made and compares it with what they should have made.
 *
 * @throws TendError TASK_FAILED naming the first part that is not as it should be.
 */
export async function showResults(options: ShowResultsOptions): Promise<ShownResults> {
  const { transcript, shell } = options;
  transcript.heading('What the five made: catalogs that load, a message, images, …');
  const translations = await showTranslations(options);
  const mail = await showMail(options);
  const images = await showImages(options);

  transcript.heading('… a second database, restored from the backup and the same as the first, …');
  const restored = await showRestored(options);

  transcript.heading('… and a backup that verifies. Every task is on record, those run by hand too:');
  await shell.tend('backup', 'verify');
  await shell.tend('tasks', '--all');
  const tasks = await readFinishedTasks(options.place);
  const backup = { id: String(evidenceOf(tasks, 'backup').id), isVerified: true };

  const sessionsLeft = await showSessionsLeft(options);
  return { tasks, backup, translations, mail, images, restored, sessionsLeft };
}

async function showTranslations({ places, transcript, shell }: ShowResultsOptions) {
  const shown: ShownResults['translations'] = [];
  for (const { locale, sample } of demoCatalogs()) {
    const file = join(places.demo, catalogFile(locale, 'mo'));
    const entry = readMo(await readFile(file)).find(({ key }) => key === sampleMessage);
    const translation = entry === undefined ? '' : decodeByteText(entry.value);
    if (translation !== sample) throw failed(`"${file}" does not translate "${sampleMessage}"`);
    transcript.note(`${shell.shown(file)}: "${sampleMessage}" is "${translation}"`);
    shown.push({ file, message: sampleMessage, translation });
  }
  return shown;
}

async function showMail({ mailFiles, shell }: ShowResultsOptions): Promise<string[]> {
  const [file, ...more] = mailFiles;
  if (file === undefined || more.length > 0) {
    throw failed(`one message should have arrived, not ${mailFiles.length}`);
  }
  await shell.cat(file);
  return [file];
}

async function showImages({ places, transcript, shell }: ShowResultsOptions): Promise<string[]> {
  const directory = join(places.demo, 'media/320');
  const made = await readdir(directory).catch((): string[] => []);
  const names = Object.keys(demoImages);
  if (!names.every((name) => made.includes(name))) throw failed(`"${directory}" is incomplete`);
  transcript.command(`ls ${shell.shown(directory)}`);
  transcript.output(names.join('  '));
  return names.map((name) => join(directory, name));
}

async function showRestored({ shell, sql }: ShowResultsOptions): Promise<ShownResults['restored']> {
  const database = 'cms_copy';
  const live = await shell.psql('-X', '-f', sql('count-rows'));
  const copy = await shell.psql('-X', '-d', database, '-f', sql('count-rows'));
  if (live !== copy) throw failed(`database "${database}" is not the same as the one it was restored from`);
  return { database, isEqual: true };
}

/** A server process ends a moment after its client has gone: it is waited for, three seconds at most. */
async function showSessionsLeft({ shell, sql, transcript, signal }: ShowResultsOptions): Promise<number> {
  const words = ['-XAtq', '-U', 'postgres', '-d', 'postgres', '-f', sql('sessions-left')];
  let said = await shell.psqlSilently(...words);
  for (let tries = 0; tries < 10 && !/: 0$/m.test(said); tries += 1) {
    await sleep(300, undefined, { signal });
    said = await shell.psqlSilently(...words);
  }
  transcript.heading('All programs have ended, and nobody is connected');
  transcript.command(['psql', ...words].join(' '));
  transcript.output(said);
  const count = Number(/: (\d+)$/m.exec(said)?.[1] ?? Number.NaN);
  if (count !== 0) throw failed(`${count} database sessions are left`);
  return count;
}

function evidenceOf(tasks: readonly FinishedTask[], kind: string): Record<string, unknown> {
  const task = tasks.find((one) => one.kind === kind);
  if (task === undefined) throw failed(`no task of kind "${kind}" is on record`);
  return task.evidence;
}

function failed(reason: string): TendError {
  return new TendError('TASK_FAILED', `The quickstart did not do what it should: ${reason}.`, {
    hint: 'Look into it: tend quickstart --keep',
  });
}
