import { describe, expect, it } from 'vitest';
import { endingOfReturned } from '../../../src/tasks/modules/ending-of-returned.ts';

function ending(returned: unknown) {
  const warnings: string[] = [];
  return { ...endingOfReturned(returned, (message) => void warnings.push(message)), warnings };
}

const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();

describe('what a module returns', () => {
  it.each([
    ['nothing', undefined, undefined],
    ['null', null, undefined],
    [
      'an object',
      { rows: 7, when: new Date(0), no: undefined },
      { rows: 7, when: '1970-01-01T00:00:00.000Z' },
    ],
  ])('is evidence: %s', (_what, returned, evidence) => {
    expect(ending(returned)).toEqual({ how: 'returned', ...(evidence && { evidence }), warnings: [] });
  });

  it.each<[string, unknown, string]>([
    ['a text', 'done', 'run returned a string, and an object was expected'],
    ['a list', [1], 'run returned a list, and an object was expected'],
    ['a function', () => 1, 'run returned what JSON cannot say, and an object was expected'],
    ['a bigint in it', { n: 1n }, 'it is not JSON: Do not know how to serialize a BigInt'],
    ['megabytes', { text: 'x'.repeat(2_000_000) }, 'it has 2000011 characters of JSON'],
    ['a revoked proxy', revoked, 'it is not JSON: '],
  ])('ends its task well also where it can be none, with a warning: %s', (_what, returned, warning) => {
    const { warnings, ...rest } = ending(returned);
    expect(rest).toEqual({ how: 'returned' });
    expect(warnings).toEqual([
      expect.stringContaining(`what run returned is not kept as evidence: ${warning}`),
    ]);
  });
});
