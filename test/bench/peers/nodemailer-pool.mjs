// Sends COUNT messages of about 2 kB through nodemailer's pool of five connections: node nodemailer-pool.mjs PORT COUNT fields|raw
import { createTransport } from 'nodemailer';

const [port, count, form] = process.argv.slice(2);
const text = 'Lorem ipsum dolor sit amet, consectetur. Lorem ipsum dolor sit amet, consectetur.\n'.repeat(24);
const pool = createTransport({
  host: '127.0.0.1',
  port: Number(port),
  pool: true,
  maxConnections: 5,
  maxMessages: Number.POSITIVE_INFINITY,
  ignoreTLS: true,
});
const head = (number) =>
  `From: CMS <cms@example.org>\r\nTo: user${number}@x.test\r\nSubject: No. ${number}\r\nMessage-ID: <${number}@example.org>\r\nDate: Sat, 28 Nov 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n`;
const messages = Array.from({ length: Number(count) }, (_, number) =>
  form === 'raw'
    ? {
        envelope: { from: 'cms@example.org', to: [`user${number}@x.test`] },
        raw: Buffer.from(head(number) + text.replaceAll('\n', '\r\n')),
      }
    : { from: 'CMS <cms@example.org>', to: `user${number}@x.test`, subject: `No. ${number}`, text },
);
await Promise.all(messages.map((message) => pool.sendMail(message)));
pool.close();
