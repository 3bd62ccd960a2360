import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ComposeMessageOptions, composeMessage } from '../../../src/mail/compose/compose-message.ts';
import type { MailMessage } from '../../../src/mail/compose/mail-message.ts';
import { debianPackage } from '../../support/debian-package.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { composingDefaults } from '../support/composing-defaults.ts';
import { verifySignature } from './verify-signature.ts';

const clock = { now: () => new Date('2026-11-22T10:00:00Z'), monotonicMs: () => 0 };

let directory: TemporaryDirectory;
const keys: Record<string, KeyObject> = {};

async function keep(name: string, pair: { privateKey: KeyObject; publicKey: KeyObject }): Promise<void> {
  await writeFile(join(directory.path, name), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  keys[name] = pair.publicKey;
}

beforeAll(async () => {
  directory = await temporaryDirectory();
  await keep('rsa', generateKeyPairSync('rsa', { modulusLength: 2048 }));
  await keep('ed25519', generateKeyPairSync('ed25519'));
});
afterAll(async () => await directory[Symbol.asyncDispose]());

async function compose(
  message: Partial<MailMessage> = {},
  { key = 'rsa', ...more }: Partial<ComposeMessageOptions> & { key?: string } = {},
) {
  const warnings: string[] = [];
  const { raw } = await composeMessage({
    ...composingDefaults,
    message: { to: 'bob@x.test', subject: 'Hello', text: 'Hi', ...message },
    dkim: { domain: 'example.org', selector: 'mail', keyFile: join(directory.path, key) },
    baseDirectory: directory.path,
    clock,
    signal: AbortSignal.timeout(10_000),
    log: { debug() {}, info() {}, warn: (text) => warnings.push(text) },
    ...more,
  });
  return { raw, warnings };
}

const messages: [string, Partial<MailMessage>][] = [
  ['of a line', {}],
  ['that is empty', { text: '' }],
  ['with blanks and empty lines at the end', { text: 'a  b \t\n\n  \n\n\n' }],
  ['in another script', { subject: 'Зажёлть '.repeat(60).trim(), text: 'żółw\n'.repeat(500) }],
  ['with html and attachments', { html: '<p>ż</p>', attachments: [{ filename: 'a', content: 'AAEC' }] }],
  ['for many', { to: Array.from({ length: 60 }, (_, index) => `Some Body <u${index}@x.test>`) }],
  ['to unsubscribe from', { unsubscribe: { url: 'https://x.test/u?t=1', mailto: 'u@x.test' } }],
];

describe('a signed message', () => {
  it.each(
    ['rsa', 'ed25519'].flatMap((key) => messages.map(([title, message]) => [title, key, message] as const)),
  )('%s verifies with the %s key by the text of RFC 6376', async (_, key, message) => {
    const { raw } = await compose(message, { key });
    const { isValid, tags } = verifySignature(raw, keys[key] as KeyObject);
    expect({ isValid, ...tags }).toMatchObject({
      isValid: true,
      ...{ v: '1', a: `${key}-sha256`, c: 'relaxed/relaxed', d: 'example.org', s: 'mail', t: '1795341600' },
    });
    expect(
      Math.max(
        ...raw
          .toString('latin1')
          .split('\r\n')
          .map(({ length }) => length),
      ),
    ).toBeLessThanOrEqual(998);
  });

  const python = debianPackage('python3-dkim');
  const dns = debianPackage('python3-dnspython');
  it.skipIf(python === undefined || dns === undefined)(
    'verifies with dkimpy, an independent verifier',
    async () => {
      const signed = await Promise.all(
        messages.map(async ([, message]) => (await compose(message)).raw.toString('base64')),
      );
      const key = keys['rsa']?.export({ type: 'spki', format: 'der' }).toString('base64');
      const program = `
import base64, dkim, json, sys
given = json.load(sys.stdin)
record = ("v=DKIM1; k=rsa; p=" + given["key"]).encode()
asked = []
def dns(name, timeout=5):
    asked.append(name.decode() if isinstance(name, bytes) else name)
    return record
print(json.dumps([[dkim.verify(base64.b64decode(raw), dnsfunc=dns) for raw in given["messages"]], sorted(set(asked))]))`;
      const path = [python, dns].map((root) => join(root ?? '', 'usr/lib/python3/dist-packages')).join(':');
      const printed = execFileSync('python3', ['-c', program], {
        input: JSON.stringify({ key, messages: signed }),
        env: { ...process.env, PYTHONPATH: path },
      });
      expect(JSON.parse(printed.toString())).toEqual([
        messages.map(() => true),
        ['mail._domainkey.example.org.'],
      ]);
    },
  );

  it('covers both List-Unsubscribe headers, and one From more than there is', async () => {
    const { raw } = await compose({ unsubscribe: { url: 'https://x.test/u' } });
    const names = verifySignature(raw, keys['rsa'] as KeyObject).tags['h']?.split(':') ?? [];
    expect(names).toEqual(
      expect.arrayContaining(['list-unsubscribe', 'list-unsubscribe-post', 'content-type']),
    );
    expect(names.filter((name) => name === 'from')).toHaveLength(2);
    expect(names.filter((name) => name === 'reply-to')).toHaveLength(1);
  });

  it.each([
    ['another subject', (raw: string) => raw.replace('Subject: Hello', 'Subject: Pay')],
    ['a second From', (raw: string) => raw.replace('From: ', 'From: evil@e.test\r\nFrom: ')],
    ['a Reply-To', (raw: string) => raw.replace('From: ', 'Reply-To: evil@e.test\r\nFrom: ')],
    ['more text', (raw: string) => `${raw}more\r\n`],
  ])('does not verify with %s put in on the way', async (_, change) => {
    const { raw } = await compose();
    const changed = Buffer.from(change(raw.toString('latin1')), 'latin1');
    expect(changed).not.toEqual(raw);
    expect(verifySignature(changed, keys['rsa'] as KeyObject).isValid).toBe(false);
  });

  it('still verifies when a relay folds its header anew and adds its own', async () => {
    const { raw } = await compose();
    const text = raw.toString('latin1').replace('Subject: ', 'subject:\r\n\t  ');
    const relayed = Buffer.from(`Received: from a by b\r\n${text}\r\n\r\n`, 'latin1');
    expect(verifySignature(relayed, keys['rsa'] as KeyObject).isValid).toBe(true);
  });

  it('may come from a domain below the one of the key', async () => {
    const { raw } = await compose({ from: 'news@shop.example.org' });
    expect(verifySignature(raw, keys['rsa'] as KeyObject).isValid).toBe(true);
  });
});

describe('a message that cannot be signed', () => {
  it('because it is from another domain goes unsigned, with a warning', async () => {
    const { raw, warnings } = await compose({ from: 'ann@notexample.org' });
    expect(raw.toString()).not.toMatch(/DKIM-Signature/i);
    expect(warnings).toEqual([
      'A message from notexample.org was not signed: [mail.dkim] signs for example.org.',
    ]);
  });

  it('because [mail] from is of another domain is a fault of the configuration', async () => {
    await expect(compose({}, { defaultFrom: 'cms@other.test' })).rejects.toThrowError(
      expect.objectContaining({
        code: 'MAIL_NOT_CONFIGURED',
        isPermanent: false,
        message: expect.stringMatching(/other\.test/),
      }),
    );
  });

  it.each<[string, RegExp, (file: string) => Promise<void>]>([
    ['missing', /ENOENT/, async () => {}],
    ['a directory', /EISDIR/, async (file) => await mkdir(file)],
    ['not a key', /not a private key in PEM/, async (file) => await writeFile(file, 'secret words')],
    [
      'a public key',
      /not a private key/,
      async (file) =>
        await writeFile(file, (keys['rsa'] as KeyObject).export({ type: 'spki', format: 'pem' })),
    ],
    [
      'too short',
      /RSA key of 512 bits/,
      async (file) => {
        const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 512 });
        await writeFile(file, privateKey.export({ type: 'pkcs1', format: 'pem' }));
      },
    ],
    [
      'of another type',
      /a key of type ec/,
      async (file) => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
      },
    ],
    [
      'under a passphrase',
      /protected by a passphrase/,
      async (file) => {
        const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
        const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
        await writeFile(file, privateKey.export(options));
      },
    ],
  ])('because the key file is %s names the file and nothing of what is in it', async (name, reason, make) => {
    const key = name.replaceAll(' ', '-');
    await make(join(directory.path, key));
    const failed: unknown = await compose({}, { key }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'MAIL_NOT_CONFIGURED', isPermanent: false });
    expect(String(failed)).toContain(join(directory.path, key));
    expect(String(failed)).toMatch(reason);
    expect(String(failed)).not.toContain('secret words');
  });

  it.skipIf(process.getuid?.() === 0)('because the key file is closed names the file', async () => {
    await writeFile(join(directory.path, 'closed'), 'x');
    await chmod(join(directory.path, 'closed'), 0);
    await expect(compose({}, { key: 'closed' })).rejects.toThrowError(/EACCES/);
  });
});
