import { describe, expect, it } from 'vitest';
import { toMailData } from '../../../src/mail/smtp/mail-data.ts';

const data = (raw: string) => toMailData(Buffer.from(raw, 'latin1')).toString('latin1');

describe('a message between DATA and its end', () => {
  it.each([
    ['is left as it is where nothing is to be done', 'a: b\r\n\r\nHi.\r\n', 'a: b\r\n\r\nHi.\r\n'],
    ['gets a dot before each line that begins with one', '.a\r\n.\r\n..b\r\n', '..a\r\n..\r\n...b\r\n'],
    ['ends its last line', 'a', 'a\r\n'],
    ['may be empty', '', ''],
    ['keeps every byte', '\0\u00e9\u00ff\r\n', '\0\u00e9\u00ff\r\n'],
  ])('%s', (_, raw, expected) => {
    expect(data(raw)).toBe(expected);
  });

  it.each(['\n.\n', '\r.\r', '\n.\r\n', '\r\n.\n', '\r\n.\r', '\r.\r\n', '\r\r\n.\r\n', '\n\r.\n'])(
    'has no end in the middle, whatever a server takes for one: a%jb',
    (smuggled) => {
      const sent = data(`a${smuggled}b\r\n`);
      expect(sent).not.toMatch(/[\r\n]\.[\r\n]/);
      expect(sent.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
      expect(sent).toContain('\r\n..');
    },
  );

  it('is the same memory where nothing is to be done: attachments are large', () => {
    const raw = Buffer.from('a\r\n'.repeat(10));
    expect(toMailData(raw)).toBe(raw);
  });
});
