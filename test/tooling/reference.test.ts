import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/errors.ts';

const program = fileURLToPath(new URL('../../bin/reference.js', import.meta.url));
const committed = fileURLToPath(new URL('../../docs/reference.md', import.meta.url));
const made = await promisify(execFile)(process.execPath, [program], { env: { PATH: '/usr/bin:/bin' } });

describe('docs/reference.md', () => {
  it('is what the code says', async () => {
    expect(made.stdout, 'run "npm run build" and commit it').toBe(await readFile(committed, 'utf8'));
  });

  it('says of every key of tend.toml what it means', () => {
    expect(made.stderr).toBe('');
  });

  it('has every command with its flags, every error code, and a key of every depth of tend.toml', () => {
    expect(made.stdout).toContain('\n### tend send-mail suppressions add\n');
    expect(made.stdout).toContain('| `--format gcc\\|github\\|gitlab` |');
    expect(made.stdout).toContain('### [backup.remotes.*.keep]\n');
    expect(made.stdout).toContain('| `overlap` | `"skip"`, `"queue"` | `"skip"` |');
    for (const code of Object.keys(errorCodes)) {
      expect(made.stdout).toContain(`[\`${code}\`](troubleshooting.md#${code.toLowerCase()})`);
    }
  });
});
