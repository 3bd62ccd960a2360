import { parse } from 'valibot';
import { expect, test } from 'vitest';
import { whoDecides } from '../../src/cli/who-decides.ts';
import { configSchema } from '../../src/config/schema.ts';

const config = parse(configSchema, { tasks: { host: 'web1' } });

test.each([
  { osUser: 'ann', by: 'ann on web1' },
  { osUser: undefined, by: 'an account without a name on web1' },
])('a decision of the account $osUser is on record as made by $by', ({ osUser, by }) => {
  expect(whoDecides({ config }, { osUser })).toBe(by);
});
