import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { demoConfig } from './demo-config.ts';
import { port } from './quickstart-places.ts';
import type { QuickstartWork } from './quickstart-work.ts';
import { typedPreparation, typedQuickstart } from './typed-session.ts';

const examples = [
  'tend tasks --all',
  'tend tasks show 1',
  `psql -c "select tend.enqueue('backup')" && tend run-due-tasks -v`,
  'tend backup list',
  'tend restore --confirm cms',
];

/**
 * Leaves server and demo site as they are, and says how to use and how to stop them. The mail sink goes with this
 * process, so tend.toml is changed to write messages to files from now on.
 */
export async function keepToPlay(work: QuickstartWork): Promise<void> {
  const { transcript, place, places, binaries } = work;
  const { serverDirectory } = place;
  await place.keep();
  const config = demoConfig({ serverDirectory, port, binaries, mailUrl: 'eml:mail' });
  await writeFile(join(places.demo, 'tend.toml'), config);

  transcript.heading('It stays, to play with (mail is now written to .tend/demo/mail). Such as:');
  for (const line of typedPreparation({ ...work, serverDirectory })) transcript.command(line);
  for (const line of examples) transcript.command(line);
  transcript.heading('Stop and remove it, in this directory:');
  transcript.command(typedQuickstart(work.env, '--stop'));
}
