import fc from 'fast-check';
import MailComposer from 'nodemailer/lib/mail-composer';
import { describe, expect, it } from 'vitest';
import { type WriteMessageOptions, writeMessage } from '../../../src/mail/compose/write-message.ts';
import { headerIn, parseWithPython } from '../parse-with-python.ts';

const base: WriteMessageOptions = {
  from: { name: 'CMS', address: 'cms@example.org' },
  replyTo: undefined,
  to: [{ name: '', address: 'bob@x.test' }],
  cc: [],
  subject: 'Hello',
  text: 'Hi',
  html: undefined,
  attachments: [],
  headers: {},
  messageId: '<1@example.org>',
  boundary: 'b',
  date: new Date('2026-11-22T10:00:00Z'),
};

async function write(more: Partial<WriteMessageOptions>): Promise<Buffer> {
  return await writeMessage({ ...base, ...more });
}

async function parsed(more: Partial<WriteMessageOptions>) {
  const [message] = parseWithPython([await write(more)]);
  if (message === undefined) throw new Error('nothing was parsed');
  return message;
}

describe('a message of text alone', () => {
  it('is read by another program as the message that MailComposer writes', async () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
    const line = fc.oneof(
      word,
      fc.stringMatching(/^[ -~]{0,120}$/),
      fc.constantFrom(
        'zażółć gęślą jaźń',
        'שלום עולם',
        '日本語のメール',
        '🎉 “quoted”',
        '=?utf-8?Q?a?=',
        '.',
        'From me',
        'a b\t',
      ),
    );
    const noControls = (text: string) => text.replace(/[\p{Cc}\u2028\u2029\u0085]/gu, '').trim() || 'x';
    const messages = fc.sample(
      fc.record({
        subject: fc.array(line, { minLength: 1, maxLength: 12 }).map((words) => noControls(words.join(' '))),
        name: line.map(noControls),
        text: fc
          .array(line, { maxLength: 40 })
          .map((lines) => lines.join('\n').replace(/[\p{Cc}](?<![\n\t])/gu, '')),
      }),
      { numRuns: 150, seed: 42 },
    );
    const ours: Buffer[] = [];
    const theirs: Buffer[] = [];
    for (const { subject, name, text } of messages) {
      const options = { ...base, subject, text, to: [{ name, address: 'bob@x.test' }] };
      ours.push(await writeMessage(options));
      const { from, to, messageId, date } = options;
      const composer = new MailComposer({
        from,
        to,
        subject,
        text: text.replace(/\n/g, '\r\n'),
        messageId,
        date,
      });
      theirs.push(await composer.compile().build());
    }
    const normal = (raw: Buffer[]) =>
      parseWithPython(raw).map(({ headers, parts, defects }) => ({
        headers: headers
          .filter(([name]) => !name.startsWith('content-'))
          .sort(([left], [right]) => left.localeCompare(right)),
        parts: parts.map(({ type, content }) => ({ type, content: content.replace(/\n*$/, '') })),
        defects,
      }));
    expect(normal(ours)).toEqual(normal(theirs));
    for (const raw of ours) {
      const lines = raw.toString('latin1').split('\r\n');
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(998);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the ASCII range.
      expect(raw.toString('latin1')).toMatch(/^[\u0000-\u007f]*$/);
      expect(raw.toString('latin1')).not.toMatch(/[^\r]\n|\r[^\n]/);
    }
  });

  it.each([
    ['short lines of ASCII', 'Hi\nthere', '7bit'],
    ['a long line', 'x'.repeat(5000), 'quoted-printable'],
    ['a Latin script', 'Zażółć gęślą jaźń i jeszcze trochę', 'quoted-printable'],
    ['another script', 'Добрый день, дорогие друзья', 'base64'],
    ['nothing', '', '7bit'],
  ])('%s is encoded as it is best sent', async (_, text, encoding) => {
    const message = await parsed({ text });
    expect(headerIn(message, 'content-transfer-encoding')).toBe(encoding);
    expect(message.parts[0]?.content.replace(/\n$/, '')).toBe(text);
  });

  it('has CRLF at every line end, whatever the text had, and no NUL', async () => {
    const raw = await write({ text: 'a\nb\rc\r\nd\0e' });
    expect(raw.toString('latin1')).toMatch(/\r\n\r\na\r\nb\r\nc\r\nde\r\n$/);
  });

  it('keeps blanks at line ends and lone dots, which relays are known to change', async () => {
    const text = 'é a \nb\t\n.\n..\nFrom\n';
    const raw = await write({ text });
    expect(raw.toString('latin1')).toMatch(/a=20\r\nb=09\r\n=2E\r\n\.\.\r\n/);
    expect(parseWithPython([raw])[0]?.parts[0]?.content).toBe(text);
  });
});

describe('any message', () => {
  const long = 'Zażółć '.repeat(300).trim();
  it.each<[string, Partial<WriteMessageOptions>]>([
    ['text', {}],
    ['html', { text: undefined, html: '<p>Hi</p>' }],
    ['text and html', { html: '<p>Hi</p>' }],
  ])('of %s carries very long subjects, emoji and right-to-left names', async (_, more) => {
    const to = [
      { name: '🎉 Bob "the\\ builder" 👩‍👩‍👧', address: 'bob@x.test' },
      { name: 'שלום, עולם', address: 'ann@x.test' },
    ];
    const message = await parsed({ subject: `${long} 🎉`, to, ...more });
    expect(headerIn(message, 'subject')).toBe(`${long} 🎉`);
    expect(headerIn(message, 'to')).toBe(
      '🎉 Bob "the\\ builder" 👩‍👩‍👧 <bob@x.test>, שלום, עולם <ann@x.test>',
    );
    expect(message.defects).toEqual([]);
  });

  it('with an empty text and an attachment has both', async () => {
    const content = Buffer.from([0, 13, 10, 255]);
    const message = await parsed({ text: '', attachments: [{ filename: 'Żółw 🐢.bin', content }] });
    expect(message.parts.at(-1)).toMatchObject({
      disposition: 'attachment',
      filename: 'Żółw 🐢.bin',
      content: content.toString('base64'),
    });
    expect(message.defects).toEqual([]);
  });

  it('with text, html and attachments has even line ends too', async () => {
    const raw = await write({
      text: 'a\nb\n',
      html: '<p>\na\r</p>\n',
      attachments: [{ filename: 'a.bin', content: Buffer.alloc(1000, 10) }],
    });
    expect(raw.toString('latin1')).not.toMatch(/[^\r]\n|\r[^\n]/);
  });

  it('shows attachments with a cid inside the html, and the others beside it', async () => {
    const raw = await write({
      html: '<img src="cid:logo">',
      attachments: [
        { filename: 'logo.png', cid: 'logo', content: Buffer.from('png') },
        { filename: 'a.pdf', content: Buffer.from('pdf') },
      ],
    });
    expect(raw.toString()).toMatch(/multipart\/mixed[\s\S]*multipart\/alternative[\s\S]*multipart\/related/);
    const [message] = parseWithPython([raw]);
    expect(message?.parts.map(({ type, disposition, cid }) => [type, disposition, cid])).toEqual([
      ['text/plain', null, null],
      ['text/html', null, null],
      ['image/png', 'inline', '<logo>'],
      ['application/pdf', 'attachment', null],
    ]);
  });

  it('is the same bytes for the same options', async () => {
    const more = { html: '<p>ż</p>', attachments: [{ filename: 'a', content: Buffer.from('a') }] };
    expect(await write(more)).toEqual(await write(more));
  });
});
