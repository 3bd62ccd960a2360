import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

export interface InstalledProgram {
  /** Where `npm install --global` has put it: `bin/tend`, `share/man`, `lib/node_modules/tend`. */
  prefix: string;
  /** Of a user who has nothing in the home directory. */
  env: { PATH: string; HOME: string };
}

/** What Tab is pressed behind, and a word that must be offered. */
const tabs: [line: string, word: string][] = [
  ['tend ba', 'backup'],
  ['tend tasks re', 'resume'],
  ['tend backup --', '--label'],
];

/** Sets completion up as `tend autocomplete bash` says, and presses Tab in a new shell. */
export function checkCompletion({ prefix, env }: InstalledProgram): void {
  const tend = (...args: string[]) => execFileSync(join(prefix, 'bin/tend'), args, { env, encoding: 'utf8' });
  assert.match(tend('autocomplete', 'bash'), /printf "\$\(tend autocomplete script bash\)" >> ~\/\.bashrc/);
  const profile = join(env.HOME, '.bashrc');
  appendFileSync(profile, tend('autocomplete', 'script', 'bash'));
  for (const [line, word] of tabs) {
    const script = `. "$HOME/.bashrc"
      read -r -a COMP_WORDS <<< "$1"; COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      "$(complete -p tend | sed -E 's/.*-F ([^ ]+).*/\\1/')"
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const offered = execFileSync('bash', ['--norc', '-c', script, 'bash', line], { env, encoding: 'utf8' });
    assert.ok(offered.split('\n').includes(word), `Tab behind "${line}" offers no "${word}": ${offered}`);
  }
}
