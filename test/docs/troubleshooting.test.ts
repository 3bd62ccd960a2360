import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/errors.ts';
import { exitCodes } from '../../src/exit-codes.ts';

/** docs/troubleshooting.md has what an operator looks up there. */
const document = await readFile(
  fileURLToPath(new URL('../../docs/troubleshooting.md', import.meta.url)),
  'utf8',
);
const entries = new Map(
  document
    .split(/^### /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n'))] as const),
);
/** A cause in words, then one block with the command. */
const form = /^\n\n[A-Za-z`*][^\n]+[.:]\n\n```sh\ntend [^\n]+\n```\n/;

describe('the document for trouble', () => {
  it.each(Object.keys(errorCodes))(
    'says of %s what the cause is, and the command that comes next',
    (code) => {
      expect(entries.get(code), `### ${code} in docs/troubleshooting.md`).toMatch(form);
    },
  );

  it('has an entry for every exit code', () => {
    const missing = Object.values(exitCodes).filter(
      ({ code }) => !form.test(entries.get(`Exit ${code}`) ?? ''),
    );
    expect(missing).toEqual([]);
  });

  it('has no entry for a code that there is not', () => {
    const known = [...Object.keys(errorCodes), ...Object.values(exitCodes).map(({ code }) => `Exit ${code}`)];
    expect([...entries.keys()].filter((title) => !known.includes(title))).toEqual([]);
  });
});
