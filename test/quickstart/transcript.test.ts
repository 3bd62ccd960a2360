import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellWord, shownPath } from '../../src/quickstart/demo-shell.ts';
import { alignTables, createTranscript } from '../../src/quickstart/transcript.ts';

describe('a transcript', () => {
  it('is a session of a shell, with headings as comments', () => {
    const lines: string[] = [];
    const transcript = createTranscript({ print: (line) => lines.push(line), paint: (_style, text) => text });
    transcript.heading('First');
    transcript.command('tend tasks');
    transcript.output('a\nb\n');
    transcript.output('');
    transcript.heading('Second');
    transcript.note('done');
    expect(lines).toEqual(['# First', '$ tend tasks', 'a', 'b', '', '# Second', '# done']);
  });

  it('is at most 100 columns wide, where commands print more', () => {
    const lines: string[] = [];
    const transcript = createTranscript({ print: (line) => lines.push(line), paint: (_style, text) => text });
    transcript.output('ż'.repeat(101));
    expect(lines).toEqual([`${'ż'.repeat(99)}…`]);
  });
});

describe('a tab-separated table', () => {
  it('is aligned, without empty columns at its end', () => {
    expect(alignTables(['ID\tKIND\tNOTE', '7\trestore\t', '10\tż\t'])).toEqual([
      'ID  KIND',
      '7   restore',
      '10  ż',
    ]);
  });

  it('keeps an empty column before a filled one', () => {
    expect(alignTables(['A\tB\tC', '1\t\t3'])).toEqual(['A  B  C', '1     3']);
  });

  it('may have no rows; other lines stay as they are', () => {
    expect(alignTables(['A\tB', 'just text'])).toEqual(['A  B', 'just text']);
  });
});

describe('a word on the command line', () => {
  it('is read back by the shell as it was', () => {
    const word = fc.string({
      unit: fc.constantFrom('a', ' ', "'", '"', '$', '\\', '*', '\n', 'ż', '-', ';'),
    });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (words) => {
        const line = `printf '%s\\0' ${words.map(shellWord).join(' ')}`;
        const read = execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8' });
        expect(read.split('\0').slice(0, -1)).toEqual(words);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['/a', '/a/b', 'b'],
    ['/a', '/ab', '/ab'],
    ['/a/b', '/a', '/a'],
    ['/a', '/a', '/a'],
    ['/a', '/a/..b', '..b'],
  ])('from %s, %s is typed as %s', (cwd, path, shown) => {
    expect(shownPath(cwd, path)).toBe(shown);
  });
});
