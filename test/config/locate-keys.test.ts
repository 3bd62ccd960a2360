import fc from 'fast-check';
import { stringify } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { locateKeys } from '../../src/config/locate-keys.ts';

describe('locateKeys', () => {
  it.each([
    {
      what: 'keys under headers',
      toml: '[a]\nb = 1\n\n[a.c]\nd = 2',
      lines: { a: 1, 'a.b': 2, 'a.c': 4, 'a.c.d': 5 },
    },
    { what: 'dotted keys', toml: 'a.b . c = 1', lines: { a: 1, 'a.b': 1, 'a.b.c': 1 } },
    {
      what: 'quoted keys',
      toml: '["a b"]\n\'c.d\' = 1\n"e\\"f" = 2',
      lines: { 'a b': 1, 'a b.c.d': 2, 'a b.e"f': 3 },
    },
    {
      what: 'comments',
      toml: '# x = 1\na = 1 # b = 2\n# ]\n[c] # d\ne = 1',
      lines: { a: 2, c: 4, 'c.e': 5 },
    },
    {
      what: 'long strings',
      toml: "a = \"\"\"\nb = 1\n[c]\n\"\"\"\nd = '''\n'x'\n'''\ne = 1",
      lines: { a: 1, d: 5, e: 8 },
    },
    { what: 'escapes', toml: 'a = "x\\" [b]\\n"\nc = \'\\\'\nd = 1', lines: { a: 1, c: 2, d: 3 } },
    {
      what: 'lists over lines',
      toml: 'a = [\n  "b = 1", # c = 2\n  [1, 2],\n]\nd = 1',
      lines: { a: 1, d: 5 },
    },
    {
      what: 'inline tables',
      toml: 'a = { b = 1, c = { d = "}" }, e.f = [1] }\ng = 1',
      lines: { a: 1, 'a.b': 1, 'a.c': 1, 'a.c.d': 1, 'a.e': 1, 'a.e.f': 1, g: 2 },
    },
    {
      what: 'inline tables over lines',
      toml: 'a = {\n  b = 1,\n  c = 2,\n}\nd = 1',
      lines: { a: 1, 'a.b': 2, 'a.c': 3, d: 5 },
    },
    {
      what: 'lists of tables, by their first',
      toml: '[[a]]\nb = 1\n[[a]]\nb = 2',
      lines: { a: 1, 'a.b': 2 },
    },
    {
      what: 'Windows line ends and a byte order mark',
      toml: '\ufeffa = 1\r\n[b]\r\nc = 2\r\n',
      lines: { a: 1, b: 2, 'b.c': 3 },
    },
    { what: 'nothing', toml: '', lines: {} },
  ])('finds $what', ({ toml, lines }) => {
    expect(Object.fromEntries(locateKeys(toml))).toEqual(lines);
  });

  it('finds every key of any document, on a line that names it', () => {
    const name = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(...'abz019_-') });
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string(), { maxLength: 3 }));
    const table = fc.dictionary(name, fc.oneof(value, fc.dictionary(name, value, { maxKeys: 4 })), {
      maxKeys: 6,
    });
    fc.assert(
      fc.property(table, (document) => {
        const toml = stringify(document);
        const source = toml.split('\n');
        const lines = locateKeys(toml);
        for (const key of Object.keys(document)) {
          expect(source[(lines.get(key) ?? 0) - 1]).toContain(key);
        }
      }),
    );
  });

  it('comes to an end on any text, TOML or not', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a=.[]{}"\'\\#\n ,') }), (text) => {
        expect(locateKeys(text)).toBeInstanceOf(Map);
      }),
    );
  });
});
