import { expect, it } from 'vitest';
import { findVersionProblem } from '../../../src/report/doctor/fixed-minors.ts';

it.each([
  ['pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', 'repaired in 15.19'],
  ['pg_restore (PostgreSQL) 15.19', undefined],
  ['psql (PostgreSQL) 18.5', 'repaired in 18.6'],
  ['psql (PostgreSQL) 14.24', undefined],
  ['pg_dump (PostgreSQL) 13.23', 'gets no repairs any more'],
  ['pg_dump (PostgreSQL) 19.0', undefined],
  ['pg_dump (PostgreSQL) 19beta1', undefined],
])('%s: %s', (version, problem) => {
  const expected = problem === undefined ? undefined : expect.stringContaining(problem);
  expect(findVersionProblem(version)).toEqual(expected);
});
