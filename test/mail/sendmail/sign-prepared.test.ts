import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { silentLog } from '../../../src/log.ts';
import { signPrepared } from '../../../src/mail/sendmail/sign-prepared.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function sign(raw: string): Promise<string> {
  await using directory = await temporaryDirectory();
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyFile = join(directory.path, 'key.pem');
  await writeFile(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const composed = {
    messageId: '<1@x.test>',
    envelope: { from: 'cms@x.test', to: ['ann@y.test'] },
    raw: Buffer.from(raw),
  };
  const dkim = { domain: 'x.test', selector: 'tend', keyFile };
  const signed = await signPrepared({ composed, dkim, clock: systemClock, log: silentLog });
  return signed.raw.toString();
}

it('a message that another program wrote is signed for the domain of its From', async () => {
  expect(await sign('Subject: s\r\nFrom: "Cron, the" <root@x.test>\r\n\r\nHi\r\n')).toMatch(
    /^DKIM-Signature: [^]*d=x\.test[^]*\r\nSubject: s\r\n/,
  );
});

it('one from another domain, and one with a signature of its own, stay as they are', async () => {
  const foreign = 'From: ann@other.test\r\n\r\nHi\r\n';
  const signed = 'DKIM-Signature: v=1; d=x.test\r\nFrom: ann@x.test\r\n\r\nHi\r\n';
  expect([await sign(foreign), await sign(signed)]).toEqual([foreign, signed]);
});
