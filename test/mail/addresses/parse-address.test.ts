import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../src/mail/addresses/parse-address.ts';
import { splitAddressList } from '../../../src/mail/addresses/split-address-list.ts';

const parse = (text: string) => parseAddress({ text, field: 'to' });

describe('an address that is accepted', () => {
  it.each([
    ['bob@example.org', '', 'bob@example.org'],
    ['  bob@example.org ', '', 'bob@example.org'],
    ['<bob@example.org>', '', 'bob@example.org'],
    ['Bob <bob@example.org>', 'Bob', 'bob@example.org'],
    ['J. R. Smith <j@x.test>', 'J. R. Smith', 'j@x.test'],
    ['"Smith, John" <j@x.test>', 'Smith, John', 'j@x.test'],
    ['"He said \\"hi\\"" <j@x.test>', 'He said "hi"', 'j@x.test'],
    ['"evil@evil.test" <j@x.test>', 'evil@evil.test', 'j@x.test'],
    ['Zażółć Gęślą <j@x.test>', 'Zażółć Gęślą', 'j@x.test'],
    ['می‌خواهم <j@x.test>', 'می‌خواهم', 'j@x.test'],
    ["o'neil+tag/x=y!#$%&*?^_`{|}~-@x.test", '', "o'neil+tag/x=y!#$%&*?^_`{|}~-@x.test"],
    ['Bob@EXAMPLE.Org', '', 'Bob@example.org'],
    ['root@localhost', '', 'root@localhost'],
    ['"bob"@x.test', '', 'bob@x.test'],
    ['"bob smith"@x.test', '', '"bob smith"@x.test'],
    ['"a@b"@x.test', '', '"a@b"@x.test'],
    ['bob@żółw.test', '', 'bob@xn--w-uga1v8h.test'],
    ['żółw@żółw.test', '', 'żółw@żółw.test'],
    ['bob@[127.0.0.1]', '', 'bob@[127.0.0.1]'],
    ['bob@[IPv6:::1]', '', 'bob@[IPv6:::1]'],
    [`${'a'.repeat(64)}@x.test`, '', `${'a'.repeat(64)}@x.test`],
    // Whatever a server makes of it: it goes to x.test and nowhere else.
    ['bob%evil.test@x.test', '', 'bob%evil.test@x.test'],
    ['"a@evil.test,b"@x.test', '', '"a@evil.test,b"@x.test'],
    ['"b\\@c"@x.test', '', '"b@c"@x.test'],
    ['-oQ/tmp@x.test', '', '-oQ/tmp@x.test'],
    ['\u00a0bob@x.test\u2003', '', 'bob@x.test'],
    ['bob@XN--W-UGA1V8H.test', '', 'bob@xn--w-uga1v8h.test'],
    ['bob@faß.test', '', 'bob@xn--fa-hia.test'],
  ])('%j', (text, name, address) => {
    expect(parse(text)).toEqual({ name, address });
  });
});

describe('a hostile or broken address is refused', () => {
  it.each([
    ['', 'it is empty'],
    ['   ', 'it is empty'],
    ['not an address', 'there is no "@"'],
    ['@z', 'nothing stands before the "@"'],
    ['b@', 'nothing stands after the "@"'],
    ['b@x.test\r\nBcc: evil@e.test', 'line break'],
    ['b@x.test\nRCPT TO:<evil@e.test>', 'line break'],
    ['Bob\r\nBcc: evil@e.test <b@x.test>', 'line break'],
    ['b\u0000@x.test', 'control character'],
    ['b\u202e@x.test', 'control character'],
    ['b\u200b@x.test', 'invisible character'],
    ['b@x\u200b.test', 'invisible character'],
    ['b\ud800@x.test', 'not valid Unicode'],
    ['a@x.test, b@x.test', 'domain has ","'],
    ['a@x.test;b@x.test', 'domain has ";"'],
    ['Smith, John <j@x.test>', 'must be quoted'],
    ['group: a@x.test, b@x.test;', 'before the "@"'],
    ['a@x.test <b@x.test>', 'must be quoted'],
    ['<@relay.test:b@x.test>', 'nothing stands before'],
    ['<a@x.test><b@x.test>', 'domain has ">"'],
    ['a@b@x.test', 'more than one "@"'],
    ['<a@x.test', 'not closed'],
    ['Bob <a@x.test> and more', 'follows the ">"'],
    ['a@x.test>', 'domain has ">"'],
    ['b(comment)@x.test', 'before the "@" has "("'],
    ['b@x.test (Bob)', 'domain has a space'],
    ['b b@x.test', 'has a space'],
    ['.b@x.test', 'dot'],
    ['b..b@x.test', 'dot'],
    ['b.@x.test', 'dot'],
    ['""@x.test', 'nothing stands before'],
    ['"a<b"@x.test', 'must be quoted'],
    ['<"a<b"@x.test>', 'angle bracket'],
    ['"unclosed@x.test', 'before the "@"'],
    ['b@x..test', 'label'],
    ['b@-x.test', 'label'],
    ['b@x_y.test', 'domain has "_"'],
    ['b@x.test.', 'label'],
    [`b@${'a'.repeat(64)}.test`, 'label'],
    ['b@127.0.0.1', 'ends in a number'],
    ['b@[127.0.0.256]', 'not an IP address'],
    ['b@[::1]', 'not an IP address'],
    ['b@[evil]', 'not an IP address'],
    ['b@ｅxample.test', 'look-alike'],
    ['b@x。test', 'domain has "。"'],
    ['b@ex%61mple.test', 'domain has "%"'],
    [`${'a'.repeat(65)}@x.test`, 'longer than 64'],
    [`a@${'abcdefghij.'.repeat(24)}test`, 'longer than'],
    ['=?utf-8?q?evil=40e.test?= <b@x.test>', 'encoded word'],
    ['"=?utf-8?q?evil?=" <b@x.test>', 'encoded word'],
    ['e\u0301@x.test', 'normal form'],
    ['=?utf-8?q?evil=40e.test=3e?=@x.test', 'encoded word'],
    ['"=?utf-8?q?evil=40e.test=3e?="@x.test', 'encoded word'],
    ['b\u00a0b@x.test', 'invisible character'],
    ['b\u3164@x.test', 'invisible character'],
    ['b\ufe0f@x.test', 'invisible character'],
    ['b@x\ufe0f.test', 'invisible character'],
    ['b\u00ad@x.test', 'invisible character'],
    ['b@xn--0049.test', 'internationalised'],
    ['b@ﬀ.test', 'look-alike'],
    ['b@0x7f.1', 'ends in a number'],
    ['b@x.0x1', 'ends in a number'],
    ['b@x.test:25', 'domain has ":"'],
    ['b@[IPv6:fe80::1%eth0]', 'not an IP address'],
    ['"b"@x.test@evil.test', 'more than one "@"'],
    ['"b@evil.test>,<c"@x.test', 'must be quoted'],
    ['<"b@evil.test>,<c"@x.test>', 'angle bracket'],
    ['Bob <>', 'no "@"'],
    ['@a.test,@b.test:c@x.test', 'nothing stands before'],
    ['Bob (the (nested (comment))) <b@x.test>', 'must be quoted'],
    [`${'('.repeat(400)}b@x.test`, 'before the "@" has "("'],
    ['Bob\u202e <b@x.test>', 'control character'],
    [`a@${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(62)}`, 'longer than'],
    ['x'.repeat(2000), 'longer than 998'],
  ])('%j: %s', (text, reason) => {
    expect(() => parse(text)).toThrowError(
      expect.objectContaining({
        code: 'MAIL_ADDRESS_INVALID',
        isPermanent: true,
        message: expect.stringContaining(reason),
      }),
    );
  });

  it('without repeating it in the message', () => {
    expect(() => parse('secret.name@@x.test')).toThrowError('The address "s…@x.test" in to cannot be used');
  });
});

describe('whatever the text', () => {
  const shaped = fc
    .array(
      fc.constantFrom(
        'a',
        'ż',
        '@',
        '.',
        '<',
        '>',
        '"',
        '\\',
        ' ',
        ',',
        ';',
        ':',
        '(',
        '\r\n',
        '\u0000',
        '[',
        ']',
        '-',
        '1',
      ),
      { maxLength: 24 },
    )
    .map((parts) => parts.join(''));

  it('what comes out has one address of visible characters and fits between angle brackets', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), shaped), (text) => {
        const parsed = attempt(text);
        if (parsed === undefined) return;
        expect(parsed.address).not.toMatch(/[\p{C}<>]|^$|(?! )\p{Z}/u);
        expect(parsed.name).not.toMatch(/\p{Cc}/u);
        expect(parsed.address.slice(parsed.address.lastIndexOf('@') + 1)).toMatch(/^[^\s@"]+$/u);
      }),
      { numRuns: 5000 },
    );
  });

  it('parsing what came out gives the same address again', () => {
    fc.assert(
      fc.property(shaped, (text) => {
        const parsed = attempt(text);
        if (parsed === undefined) return;
        expect(parse(parsed.address)).toEqual({ name: '', address: parsed.address });
        // To a reader of lists it is one recipient, too.
        expect(splitAddressList(`${parsed.address}, <${parsed.address}>`)).toEqual([
          parsed.address,
          parsed.address,
        ]);
      }),
      { numRuns: 5000 },
    );
  });

  function attempt(text: string) {
    try {
      return parse(text);
    } catch {
      return undefined;
    }
  }
});
