import { describe, expect, it } from 'vitest';
import { closestName } from '../src/closest-name.ts';

describe('closestName', () => {
  const names = ['directory', 'compression', 'files', 'tasks:retry', 'tasks:resolve'];
  it.each([
    { typed: 'directroy', meant: 'directory' },
    { typed: 'file', meant: 'files' },
    { typed: 'tasks:rety', meant: 'tasks:retry' },
    { typed: 'files', meant: 'files' },
    { typed: 'nonsense', meant: undefined },
    { typed: '', meant: undefined },
  ])('"$typed" meant $meant', ({ typed, meant }) => {
    expect(closestName(typed, names)).toBe(meant);
  });

  it('is undefined where there are no names', () => {
    expect(closestName('a', [])).toBeUndefined();
  });
});
