import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkTimezone } from '../../src/schedules/check-timezone.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type ApplicationRole, createApplicationRole } from './support.ts';

/** PostgreSQL's folder of time zones holds more than zones; a tick must be able to plan in what tend.schedule takes. */
let database: TestDatabase;
let application: ApplicationRole;

beforeAll(async () => {
  database = await createTestDatabase();
  application = await createApplicationRole(database);
});
afterAll(async () => {
  await application[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const scheduleIn = async (zone: string) =>
  await application.codeOf(`select tend.schedule('zone', '@daily', 'noop', timezone => '${zone}')`);

it.each([
  'localtime',
  'posixrules',
  'Factory',
  'posix/Europe/Warsaw',
  'right/Europe/Warsaw',
  'GMT0',
  'GMT-0',
])('a schedule in %s is refused', async (zone) => expect(await scheduleIn(zone)).toBe('22023'));

it.each([
  'Europe/Warsaw',
  'America/Port-au-Prince',
  'America/Argentina/Buenos_Aires',
  'Etc/GMT+5',
  'EST',
  'UTC',
])('a schedule in %s is made', async (zone) =>
  expect([await scheduleIn(zone), checkTimezone(zone)]).toEqual(['ok', undefined]),
);

it('what PostgreSQL knows and the program does not is refused, but for places newer than this Node', async () => {
  const rows = await database.query<{ name: string }>(
    `select name from pg_timezone_names where name !~ '^(posix|right)/'`,
  );
  const unknown = rows.map(({ name }) => name).filter((name) => checkTimezone(name) !== undefined);
  for (const name of unknown.filter((zone) => !/^[A-Z][a-z]+\/[A-Z]/.test(zone))) {
    expect(await scheduleIn(name), name).toBe('22023');
  }
});
