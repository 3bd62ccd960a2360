import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellWord } from '../src/shell-word.ts';

it.each(['mail', 'a/b.c:d@e', 'bulk mail', "ann's", '', '$HOME', '*', 'a"b`c\\d', 'zażółć', 'two\nlines'])(
  'a shell reads %j as it is',
  (word) => {
    const said = execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' });
    expect(said).toBe(word);
  },
);

it('leaves a plain word plain', () => {
  expect(shellWord('send-mail')).toBe('send-mail');
});
