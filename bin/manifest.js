// Prints oclif.manifest.json as the built commands say, in a stable order and with nothing of the environment.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What `oclif manifest` would write for dist/, commands sorted by name, with a newline at the end. */
export async function makeManifest() {
  globalThis.oclif = { enableAutoTranspile: false };
  const { Plugin } = await import('@oclif/core/config');
  const plugin = new Plugin({
    root,
    type: 'core',
    ignoreManifest: true,
    errorOnManifestCreate: true,
    respectNoCacheDefault: true,
  });
  await plugin.load();
  const commands = Object.entries(plugin.manifest.commands).sort(([left], [right]) =>
    left < right ? -1 : 1,
  );
  return `${JSON.stringify({ commands: Object.fromEntries(commands), version: plugin.manifest.version }, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(await makeManifest());
