import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SmtpConversation } from '../../src/quickstart/smtp-conversation.ts';

/** Says `chunks` to a fresh conversation; the replies as their codes, and the messages it stored. */
async function say(chunks: readonly (string | Buffer)[]) {
  const messages: string[] = [];
  const conversation = new SmtpConversation(async (message) => {
    messages.push(message.toString());
    return `${messages.length}.eml`;
  });
  let replies = '';
  for (const chunk of chunks) replies += await conversation.take(Buffer.from(chunk));
  const codes = [...replies.matchAll(/^(\d{3}) /gm)].map(([, code]) => Number(code));
  return { codes, replies, messages, hasEnded: conversation.hasEnded };
}

const envelope = ['EHLO client\r\n', 'MAIL FROM:<a@example.org>\r\n', 'RCPT TO:<b@example.org>\r\n'];

describe('a conversation', () => {
  it('stores the message as it came, and says so', async () => {
    const spoken = await say([...envelope, 'DATA\r\n', 'Subject: x\r\n\r\nBody\r\n.\r\n', 'QUIT\r\n']);
    expect(spoken.codes).toEqual([250, 250, 250, 354, 250, 221]);
    expect(spoken.replies).toContain('kept as 1.eml');
    expect(spoken.messages).toEqual(['Subject: x\r\n\r\nBody\r\n']);
    expect(spoken.hasEnded).toBe(true);
  });

  it('takes several messages, and forgets one that is reset', async () => {
    const message = [...envelope.slice(1), 'DATA\r\n', 'one\r\n.\r\n'];
    const spoken = await say([envelope[0] ?? '', ...message, ...envelope.slice(1), 'RSET\r\n', ...message]);
    expect(spoken.messages).toHaveLength(2);
  });

  it('is the same however the bytes are cut', async () => {
    const whole = [...envelope, 'DATA\r\n', 'Subject: ż\r\n\r\n..dots\r\n.\r\n', 'QUIT\r\n'].join('');
    const bytes = Buffer.from(whole);
    const expected = await say([bytes]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
        const ends = [...cuts, bytes.length].toSorted((a, b) => a - b);
        const chunks = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
        expect(await say(chunks)).toEqual(expected);
      }),
    );
  });

  it.each([
    ['a dot that the client doubled is one again', '..\r\n..a\r\n.\r\n', '.\r\n.a\r\n'],
    ['a dot between lone line feeds does not end the message', 'a\n.\nb\r\n.\r\n', 'a\n.\nb\r\n'],
    ['an empty message', '.\r\n', ''],
  ])('%s', async (_title, sent, stored) => {
    const { messages } = await say([...envelope, 'DATA\r\n', sent]);
    expect(messages).toEqual([stored]);
  });

  it.each([
    ['MAIL before EHLO', ['MAIL FROM:<a@example.org>\r\n'], 503],
    ['RCPT before MAIL', ['EHLO c\r\n', 'RCPT TO:<b@example.org>\r\n'], 503],
    ['DATA without a recipient', ['EHLO c\r\n', 'MAIL FROM:<>\r\n', 'DATA\r\n'], 503],
    ['an empty recipient', [...envelope.slice(0, 2), 'RCPT TO:<>\r\n'], 502],
    ['what it does not know', ['EHLO c\r\n', 'STARTTLS\r\n'], 502],
  ])('refuses %s', async (_title, lines, code) => {
    const { codes } = await say(lines);
    expect(codes.at(-1)).toBe(code);
  });

  it('ends with a client that sends no line ends', async () => {
    expect(await say(['x'.repeat(3000)])).toMatchObject({ codes: [500], hasEnded: true });
  });
});
