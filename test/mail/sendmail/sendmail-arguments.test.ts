import { describe, expect, it } from 'vitest';
import { parseSendmailArguments } from '../../../src/mail/sendmail/sendmail-arguments.ts';

const plain = {
  recipients: [],
  readsRecipients: false,
  endsAtDot: true,
  sender: undefined,
  fullName: undefined,
  config: undefined,
};

describe('the arguments of', () => {
  it.each([
    [
      'cronie',
      '-FCronDaemon -i -odi -oem -oi -t -f root',
      { readsRecipients: true, endsAtDot: false, sender: 'root', fullName: 'CronDaemon' },
    ],
    [
      'newer cronie',
      '-FCronDaemon -i -odi -oem -oi -t -f <>',
      { readsRecipients: true, endsAtDot: false, sender: '', fullName: 'CronDaemon' },
    ],
    [
      'Debian cron',
      '-i -FCronDaemon -B8BITMIME -oem www-data',
      { endsAtDot: false, fullName: 'CronDaemon', recipients: ['www-data'] },
    ],
    ['busybox crond', '-ti root', { readsRecipients: true, endsAtDot: false, recipients: ['root'] }],
    ['PHP', '-t -i', { readsRecipients: true, endsAtDot: false }],
    [
      'PHP with a sender',
      '-t -i -fapp@x.test',
      { readsRecipients: true, endsAtDot: false, sender: 'app@x.test' },
    ],
    [
      'git send-email',
      '-f me@x.test -i a@x.test b@x.test',
      { sender: 'me@x.test', endsAtDot: false, recipients: ['a@x.test', 'b@x.test'] },
    ],
    [
      'mailx',
      '-r me@x.test -oi -- -odd@x.test',
      { sender: 'me@x.test', endsAtDot: false, recipients: ['-odd@x.test'] },
    ],
    ['mutt', '-oem -oi -N failure -R hdrs -V abc a@x.test', { endsAtDot: false, recipients: ['a@x.test'] }],
    ['anacron', '-FAnacron -odi root', { fullName: 'Anacron', recipients: ['root'] }],
    ['at', '-i www-data', { endsAtDot: false, recipients: ['www-data'] }],
    ['fcron', '-Ffcron -odi www-data', { fullName: 'fcron', recipients: ['www-data'] }],
    ['logwatch and mcron', '-t -oem -i', { readsRecipients: true, endsAtDot: false }],
    ['bsd-mailx', '-i root', { endsAtDot: false, recipients: ['root'] }],
    [
      's-nail',
      '-i -m -r me@x.test -- a@x.test',
      { sender: 'me@x.test', endsAtDot: false, recipients: ['a@x.test'] },
    ],
    [
      'Emacs',
      '-oi -f me@x.test -odb -oem -t',
      { sender: 'me@x.test', endsAtDot: false, readsRecipients: true },
    ],
    ['Perl’s MIME::Lite', '-t -oi -oem', { readsRecipients: true, endsAtDot: false }],
    [
      'Ruby’s mail',
      '-i -f me@x.test -- a@x.test',
      { sender: 'me@x.test', endsAtDot: false, recipients: ['a@x.test'] },
    ],
    [
      'nodemailer',
      '-i -f me@x.test a@x.test',
      { sender: 'me@x.test', endsAtDot: false, recipients: ['a@x.test'] },
    ],
    [
      'smartd by way of mail',
      '-oi -FSmartd -it',
      { endsAtDot: false, readsRecipients: true, fullName: 'Smartd' },
    ],
    [
      'PHP with a file of its own',
      '-C /etc/tend.toml -t -i',
      { readsRecipients: true, endsAtDot: false, config: '/etc/tend.toml' },
    ],
    [
      'one who combines letters',
      '-itf me@x.test',
      { readsRecipients: true, endsAtDot: false, sender: 'me@x.test' },
    ],
    ['nobody', '', {}],
    ['an old program', '-bm -m -U -n -v -O DeliveryMode=b a@x.test', { recipients: ['a@x.test'] }],
  ])('%s: %s', (_, words, expected) => {
    expect(parseSendmailArguments(words.split(' ').filter(Boolean))).toEqual({ ...plain, ...expected });
  });

  it('an empty sender is the null sender, however it is written', () => {
    for (const words of [['-f', ''], ['-f', '<>'], ['-f<>'], ['-r', '<>']])
      expect(parseSendmailArguments(words)).toMatchObject({ sender: '', recipients: [] });
  });

  it.each(['-bs', '-bd', '-bp', '-bi', '-bt', '-bv', '-q', '-q30m', '-s', '-z', '--help', '-f'])(
    '%s are refused',
    (word) => {
      expect(() => parseSendmailArguments([word])).toThrowError(expect.objectContaining({ code: 'USAGE' }));
    },
  );
});
