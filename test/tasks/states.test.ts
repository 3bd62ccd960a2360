import { expect, it } from 'vitest';
import { taskStates, transitions } from '../../src/tasks/states.ts';
import { createTestDatabase } from '../support/database.ts';

it('every state can be reached, and every one that has not ended can be left', () => {
  for (const state of taskStates) {
    expect(state === 'waiting' || transitions.some(({ to }) => to === state), state).toBe(true);
    expect(state === 'succeeded' || transitions.some(({ from }) => from === state), state).toBe(true);
  }
});

it('only a claim leads to running, and only a person leads out of an end', () => {
  expect(transitions.filter(({ to }) => to === 'running')).toMatchObject([{ from: 'waiting', by: 'worker' }]);
  const ended = transitions.filter(({ from }) =>
    ['succeeded', 'failed', 'cancelled', 'missed'].includes(from),
  );
  expect(ended.every(({ by, to }) => by === 'person' && to === 'waiting')).toBe(true);
});

it('no transition stands twice', () => {
  const keys = transitions.map(({ from, to, by }) => `${from} ${to} ${by}`);
  expect(keys).toEqual([...new Set(keys)]);
});

it('the database knows the same states', async () => {
  await using database = await createTestDatabase();
  const [check] = await database.query<{ definition: string }>(
    `select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'tasks_state_check'`,
  );
  const known = [...(check?.definition ?? '').matchAll(/'([a-z]+)'/g)].map(([, state]) => state);
  expect(new Set(known)).toEqual(new Set(taskStates));
});
