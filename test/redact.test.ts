import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecretRegistry } from '../src/redact.ts';

function registry(...values: string[]): SecretRegistry {
  const secrets = new SecretRegistry();
  for (const value of values) secrets.add(value);
  return secrets;
}

describe('a secret', () => {
  const secret = `a/b+c==" &'<é>`;

  it.each([
    ['as it is', secret],
    ['in a URL', encodeURIComponent(secret)],
    ['in a form', encodeURIComponent(secret).replaceAll('%20', '+')],
    ['in JSON', JSON.stringify(secret)],
    ['in the JSON of PHP', JSON.stringify(secret).replaceAll('/', String.raw`\/`)],
    ['in HTML', 'a/b+c==&quot; &amp;&#39;&lt;é&gt;'],
    ['in the HTML of PHP', 'a/b+c==&quot; &amp;&#039;&lt;é&gt;'],
  ])('is not shown: %s', (_where, text) => {
    expect(registry(secret).redact(`before ${text} after`)).toMatch(/^before "?\*\*\*"? after$/);
  });

  it('is what stands after a word for one, unless that is an object of JSON', () => {
    expect(registry().redact('password={x} "secret": "y" token: z')).toBe(
      'password=*** "secret": *** token: ***',
    );
    const schema = '{"password":{"type":"string"},"secret": {\n  "type": "string"}}';
    expect(registry().redact(schema)).toBe(schema);
  });

  it('that is no well-formed text is removed all the same', () => {
    expect(registry('canary\ud800').redact('x canary\ud800 x')).toBe('x *** x');
  });
});

it('a secret that is a part of another one leaves nothing of that', () => {
  expect(registry('4711', 'canary-4711-x').redact('canary-4711-x 4711')).toBe('*** ***');
});

describe('the end of a longer text', () => {
  it('shows nothing of a secret that was cut, wherever the cut is', () => {
    const secret = 'Bearer canary/4711';
    const written = String.raw`Bearer canary\/4711`;
    for (const form of [secret, written]) {
      for (let start = 0; start < form.length - 4; start += 1) {
        expect(registry(secret).redactTail(`${form.slice(start)}" and more`)).toMatch(
          /^(\*\*\*)?" and more$/,
        );
      }
    }
  });

  it('is left alone where nothing was cut', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(registry('\u0001\u0002\u0003\u0004').redactTail(text)).toBe(registry().redact(text));
      }),
    );
  });

  it('loses the longest rest where secrets end alike', () => {
    expect(registry('key-4711', 'long-key-4711').redactTail('ong-key-4711 rest')).toBe(' rest');
  });
});
