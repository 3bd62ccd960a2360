#!/usr/bin/env node
// The entry of `tend`. Old syntax down to the first import(): an old Node must get as far as the message.
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    'tend: Node 24 or newer is needed, and this is Node ' +
      process.versions.node +
      ' (' +
      process.execPath +
      '); put a newer one first on PATH\n',
  );
  process.exit(78);
} else {
  // Packages we use warn the operator of a cron job about our own code; commands put warnings into the debug log.
  process.removeAllListeners('warning');
  // Nothing is open or awaited any more. To end here spares taking the heap down piece by piece, as Node would.
  process.once('beforeExit', () => process.exit());
  enableCompileCache();
  start(process.argv.slice(2)).then(
    (code) => {
      if (code !== undefined) process.exitCode = code;
    },
    (error) => {
      process.stderr.write('tend: ' + (error instanceof Error ? error.message : String(error)) + '\n');
      process.exitCode = 70;
    },
  );
}

/** The tick that cron starts every minute goes its own way: no command framework is loaded for it. */
async function start(args) {
  if (args[0] === 'run-due-tasks') {
    const { runTick } = await import('../dist/tick.js');
    const code = await runTick(args.slice(1));
    if (code !== undefined) return code;
  }
  globalThis.oclif = { enableAutoTranspile: false };
  const { run } = await import('@oclif/core/run');
  try {
    await run(args, import.meta.url);
  } catch (error) {
    const { reportFrameworkError } = await import('../dist/framework-error.js');
    return reportFrameworkError({ error, argv: args, config: import.meta.url });
  }
  const { flush } = await import('@oclif/core/flush');
  await flush();
  return undefined;
}

/**
 * Compiled code is kept in a directory of the user's own, never in the shared temporary directory, where another
 * user could plant code. Where there is no such directory, the program is a little slower, nothing else.
 */
function enableCompileCache() {
  // not imported: see builtin-imports.js
  const fs = process.getBuiltinModule('node:fs');
  const { isAbsolute, join } = process.getBuiltinModule('node:path');
  const base = process.env.XDG_CACHE_HOME || (process.env.HOME ? join(process.env.HOME, '.cache') : '');
  if (!isAbsolute(base)) return;
  const directories = [join(base, 'tend'), join(base, 'tend', 'compile-cache')];
  try {
    // one by one: mkdir's `recursive` never comes back from a place such as /proc
    for (const path of [base, ...directories]) makeDirectory(fs, path);
    for (const path of directories) {
      const stat = fs.lstatSync(path);
      if (!stat.isDirectory() || stat.uid !== process.getuid() || (stat.mode & 0o022) !== 0) return;
    }
    process.getBuiltinModule('node:module').enableCompileCache(directories[1]);
  } catch {
    // no place to write: go without
  }
}

function makeDirectory(fs, path) {
  try {
    fs.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}
