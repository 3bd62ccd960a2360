// Runs scripts of package.json at once, prints the output of each when it has ended, and fails when one of them does:
//   npm run check, which is: node bin/at-once.js types lint style unused
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** Resolves to the exit code; a script that cannot be started or is killed counts as failed. */
function run(name) {
  const output = [];
  const child = spawn(scripts[name] ?? `no-script-${name}`, {
    shell: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
  return new Promise((resolve) => {
    child.once('error', (error) => output.push(Buffer.from(`${error.message}\n`)));
    child.once('close', (code) => {
      process.stdout.write(Buffer.concat(output));
      if (code !== 0) process.stderr.write(`failed: npm run ${name}\n`);
      resolve(code ?? 1);
    });
  });
}

const codes = await Promise.all(process.argv.slice(2).map(run));
process.exitCode = Math.max(...codes);
