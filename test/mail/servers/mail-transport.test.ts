import { describe, expect, it } from 'vitest';
import { parseMailUrl } from '../../../src/mail/servers/mail-transport.ts';

const parse = (url: string) =>
  parseMailUrl({ url, baseDirectory: '/srv/cms', caFile: undefined, timeoutMs: 1000 });

describe('[mail] url', () => {
  it.each([
    ['smtp://mail.x.test', { host: 'mail.x.test', port: 587, security: 'starttls', credentials: undefined }],
    ['smtp://mail.x.test:25/', { port: 25, security: 'starttls' }],
    ['smtps://mail.x.test', { port: 465, security: 'tls' }],
    ['smtp://localhost', { host: 'localhost', port: 25, security: 'loopback' }],
    ['smtp://127.0.0.1:2525', { host: '127.0.0.1', port: 2525, security: 'loopback' }],
    ['smtp://[::1]:2525', { host: '::1', port: 2525, security: 'loopback' }],
    ['smtp://127.evil.test', { security: 'starttls' }],
    ['smtp://localhost.evil.test', { security: 'starttls' }],
    ['smtps://localhost', { security: 'tls' }],
    ['smtp://relay.internal:1025?tls=off', { security: 'off', port: 1025 }],
    ['smtp://u%40x.test:p%2F%40%3Aq@m.test', { credentials: { user: 'u@x.test', password: 'p/@:q' } }],
  ])('%s', (url, expected) => {
    expect(parse(url)).toMatchObject({ type: 'smtp', ...expected });
  });

  it.each([
    ['eml:///var/spool/out', '/var/spool/out'],
    ['eml:///var/spool/o%20t', '/var/spool/o t'],
    ['eml:mail-out', '/srv/cms/mail-out'],
    ['eml:./mail/out', '/srv/cms/mail/out'],
  ])('%s', (url, directory) => {
    expect(parse(url)).toEqual({ type: 'eml', directory });
  });

  it.each([
    ['http://mail.x.test', '"http:" is not known'],
    ['mail.x.test:25', 'does not begin with'],
    ['smtp://', 'not a URL|host is missing'],
    ['smtp://m.test/path', 'follows the host'],
    ['smtp://m.test#x', 'follows the host'],
    ['smtp://user@m.test', 'belong together'],
    ['smtp://m.test?rejectUnauthorized=false', '"rejectUnauthorized" is not known'],
    ['smtp://m.test?tls=no', 'can only be "off"'],
    ['smtps://m.test?tls=off', 'contradict'],
    ['smtp://user:secret@m.test?tls=off', 'clear text'],
    ['smtp://user:se%cret@m.test', 'hexadecimal'],
    ['smtp://user:sec/ret@m.test', 'not a URL|follows'],
    ['eml:', 'directory is missing'],
    ['eml://host/dir', 'directory on this host'],
  ])('%s is refused: %s', (url, reason) => {
    let message = '';
    try {
      parse(url);
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(new RegExp(reason));
    expect(message).not.toMatch(/secret|se%cret|sec\/ret/);
  });
});
