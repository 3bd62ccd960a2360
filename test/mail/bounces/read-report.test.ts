import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readReport } from '../../../src/mail/bounces/read-report.ts';
import { bounceFixture } from './fixture.ts';

const messageId = '<5f0c@example.org>';

async function read(name: string, change?: (text: string) => string) {
  return readReport(await bounceFixture(name, { messageId, ...(change === undefined ? {} : { change }) }));
}

describe('the report of', () => {
  it.each([
    ['postfix', '5.1.1', 'User unknown in virtual mailbox table'],
    ['exim', '5.1.1', 'No such user here'],
    ['exim-before-4.87', '5.1.1', 'Recipient address rejected: User unknown'],
    ['sendmail', '5.1.1', 'User unknown'],
    ['gmail', '5.1.1', 'does not exist'],
    ['microsoft-365', '5.1.10', 'RecipientNotFound'],
    ['amazon-ses', '5.1.1', 'user unknown'],
    ['qmail', '5.1.1', 'User unknown'],
  ])('%s says which message failed for whom, and why', async (name, status, said) => {
    const report = await read(name);
    expect(report).toEqual({
      type: 'delivery-status',
      messageId,
      recipients: [
        {
          addresses: ['bob@example.net'],
          action: 'failed',
          status,
          diagnostic: expect.stringContaining(said),
        },
      ],
    });
    // With the line ends of the wire it says the same.
    expect(await read(name, (text) => text.replaceAll('\n', '\r\n'))).toEqual(report);
  });

  it('a server that goes on trying says so', async () => {
    expect(await read('postfix-delayed')).toMatchObject({
      type: 'delivery-status',
      recipients: [{ action: 'delayed', status: '4.4.1' }],
    });
  });

  it('an address beyond ASCII is read as it is, and from its encoded form', async () => {
    const recipients = [{ addresses: ['żółw@example.net'], action: 'failed', status: '5.1.1' }];
    expect(await read('internationalised')).toMatchObject({ messageId, recipients });
    const encoded = await read('postfix', (text) =>
      text.replace('rfc822; bob@example.net', 'utf-8; \\x{17C}\\x{F3}\\x{142}w@example.net'),
    );
    expect(encoded).toMatchObject({
      recipients: [{ addresses: expect.arrayContaining(['żółw@example.net']) }],
    });
  });

  it('a reader who complains says of which message', async () => {
    expect(await read('complaint')).toEqual({
      type: 'feedback',
      messageId,
      feedbackType: 'abuse',
      addresses: ['bob@example.net'],
    });
  });

  it('several recipients speaks about each', async () => {
    const second = 'Final-Recipient: rfc822; ann@example.net\nAction: delayed\nStatus: 4.2.2\n\n';
    const report = await read('postfix', (text) =>
      text.replace('Final-Recipient', `${second}Final-Recipient`),
    );
    expect(report).toMatchObject({
      recipients: [
        { addresses: ['ann@example.net'], action: 'delayed', status: '4.2.2' },
        { addresses: ['bob@example.net'], action: 'failed', status: '5.1.1' },
      ],
    });
  });
});

describe('a report that leaves something to guess is not understood:', () => {
  it.each<[string, (text: string) => string, string]>([
    ['no recipient', (text) => text.replace(/^(Final|Original)-Recipient.*\n/gm, ''), 'names no recipient'],
    ['no action', (text) => text.replace(/^Action.*\n/m, ''), 'names no recipient'],
    ['no message', (text) => text.replace(/^Message-ID: MESSAGE-ID\n/m, ''), 'which message'],
    [
      'no status part',
      (text) => text.replace('message/delivery-status', 'text/plain'),
      'no message/delivery-status',
    ],
  ])('%s', async (_, change, reason) => {
    expect(await read('postfix', change)).toEqual({
      type: 'not-understood',
      reason: expect.stringContaining(reason),
    });
  });

  it.each(['qmail', 'exim-before-4.87'])('%s without its copy of the message', async (name) => {
    const report = await read(name, (text) => text.replace(/\n-+ [^\n]*copy of the message[\s\S]*/, '\n'));
    expect(report).toMatchObject({ type: 'not-understood' });
  });
});

describe('other mail is no report:', () => {
  it.each([
    ['a letter', 'From: ann@x.test\nSubject: Hello\n\n<bob@example.net>: 550 5.1.1 user unknown\n'],
    [
      'a receipt of reading',
      'Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b--\n',
    ],
    ['nothing', ''],
    ['bytes', '\0\xff\n\n\n'],
  ])('%s', (_, text) => {
    expect(readReport(Buffer.from(text))).toEqual({ type: 'no-report' });
  });

  it('a report that somebody has forwarded', async () => {
    const raw = await bounceFixture('postfix', { messageId });
    const forwarded = `Subject: Fwd\nContent-Type: multipart/mixed; boundary=f\n\n--f\nContent-Type: message/rfc822\n\n${raw.toString()}\n--f--\n`;
    expect(readReport(Buffer.from(forwarded))).toEqual({ type: 'no-report' });
  });
});

describe('whatever its bytes, a message', () => {
  it('is read without an error', async () => {
    const whole = (await bounceFixture('gmail', { messageId })).toString('latin1');
    fc.assert(
      fc.property(
        fc.nat(whole.length),
        fc.nat(60),
        fc.string({ unit: 'binary', maxLength: 20 }),
        (at, gone, put) => {
          const text = whole.slice(0, at) + put + whole.slice(at + gone);
          expect(readReport(Buffer.from(text, 'latin1'))).toHaveProperty('type');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is read in time that grows with its length alone', () => {
    const nested = 'Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n'.repeat(
      20_000,
    );
    const folded = `Content-Type: multipart/report; boundary=b\n${' x\n'.repeat(500_000)}\n--b\n`;
    const dashes = `Hi. This is the x\n${'\n-'.repeat(500_000)}`;
    const spaces = `Content-Transfer-Encoding: quoted-printable\n\n${' '.repeat(100_000)}`;
    for (const text of [nested, folded, dashes, spaces]) expect(readReport(Buffer.from(text))).toBeDefined();
  });
});
