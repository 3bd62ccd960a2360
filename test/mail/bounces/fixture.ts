import { readFile } from 'node:fs/promises';

/** A report as the software of its name writes it, about the message given; recipient bob@example.net. */
export async function bounceFixture(
  name: string,
  given: { messageId: string; change?: (text: string) => string },
): Promise<Buffer> {
  const text = await readFile(new URL(`../../fixtures/bounces/${name}.eml`, import.meta.url), 'utf8');
  const { change = (same: string) => same } = given;
  return Buffer.from(change(text).replaceAll('MESSAGE-ID', given.messageId));
}
