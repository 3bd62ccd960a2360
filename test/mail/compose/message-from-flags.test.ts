import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type MessageFlags, messageFromFlags } from '../../../src/mail/compose/message-from-flags.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function make(
  flags: Partial<MessageFlags>,
  more: { cwd?: string; stdin?: string; expiresAt?: Date } = {},
) {
  const { cwd = '/', stdin = '', expiresAt } = more;
  return await messageFromFlags({
    flags: { to: ['bob@x.test'], cc: [], bcc: [], subject: 's', attach: [], inline: [], ...flags },
    cwd,
    expiresAt,
    signal: AbortSignal.timeout(10_000),
    readStandardInput: async () => Buffer.from(stdin),
  });
}

describe('the flags of send-mail', () => {
  it('make a message with nothing in it that was not said', async () => {
    expect(await make({ text: 't' })).toEqual({ to: ['bob@x.test'], subject: 's', text: 't' });
  });

  it('take a template with its data, and when it expires', async () => {
    const flags = { subject: undefined, template: 'a', data: '@-', locale: 'pl', importance: 'low' };
    expect(await make(flags, { stdin: '{"b": [1]}', expiresAt: new Date('2026-11-22T10:00:00Z') })).toEqual({
      ...{ to: ['bob@x.test'], template: 'a', data: { b: [1] }, locale: 'pl', importance: 'low' },
      expiresAt: '2026-11-22T10:00:00.000Z',
    });
  });

  it('carry the bytes of files, of standard input and of pictures', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'a=b.png'), Buffer.from([0, 255]));
    const flags = { html: '', attach: ['a=b.png', '-'], 'attach-name': 'c.csv', inline: ['logo=a=b.png'] };
    expect((await make(flags, { cwd: directory.path, stdin: 'x' })).attachments).toEqual([
      { filename: 'a=b.png', content: 'AP8=' },
      { filename: 'c.csv', content: 'eA==' },
      { filename: 'a=b.png', content: 'AP8=', cid: 'logo' },
    ]);
  });

  it.each<[string, string, Partial<MessageFlags>]>([
    ['USAGE', 'Nobody would get', { to: [] }],
    ['USAGE', 'has no subject', { subject: undefined }],
    ['USAGE', 'needs a name', { attach: ['-'] }],
    ['USAGE', 'needs a name', { 'attach-name': 'a' }],
    ['USAGE', 'Only one of --text and --html', { text: '-', html: '-' }],
    ['USAGE', 'Only one of --text and --attach', { text: '-', attach: ['-'], 'attach-name': 'a' }],
    ['USAGE', 'Only one of --attach and --attach', { attach: ['-', '-'], 'attach-name': 'a' }],
    [
      'USAGE',
      'Only one of --attach and --data',
      { template: 'a', data: '@-', attach: ['-'], 'attach-name': 'a' },
    ],
    ['USAGE', 'does not say which picture', { html: 'x', inline: ['logo.png'] }],
    ['USAGE', 'is not JSON', { template: 'a', data: '{name}' }],
    ['MAIL_MESSAGE_INVALID', 'data: an object was expected', { template: 'a', data: '[1]' }],
    ['MAIL_MESSAGE_INVALID', 'template: data and locale are for a template', { text: 't', locale: 'pl' }],
    ['INPUT_MISSING', '"none.json" cannot be read', { template: 'a', data: '@none.json' }],
  ])('are refused with %s: %s', async (code, text, flags) => {
    await expect(make(flags)).rejects.toThrowError(
      expect.objectContaining({ code, message: expect.stringContaining(text) }),
    );
  });
});
