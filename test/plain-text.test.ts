import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainText } from '../src/plain-text.ts';

test.each([
  ['colours', '\u001b[31mred\u001b[0m alert', 'red alert'],
  ['a window title', '\u001b]0;pwned\u0007ls', 'ls'],
  ['cleared screens', 'a\u001b[2Jb', 'ab'],
  ['progress that overwrites itself', '10 %\r20 %\r\ndone', '10 %\n20 %\ndone'],
  ['bells and others', 'a\u0007b\u0000c\u009d', 'a\\u0007b\\u0000c\\u009d'],
  ['lines, tabs and what people write', 'Zażółć\tgęślą\n日本', 'Zażółć\tgęślą\n日本'],
])('%s', (_what, said, shown) => {
  expect(plainText(said)).toBe(shown);
});

test('nothing that drives a terminal is ever left', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (said) => {
      expect(plainText(said)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    }),
  );
});
