import type pg from 'pg';
import { expect } from 'vitest';
import { type Transition, transitions } from '../../../src/tasks/states.ts';
import type { ModelTask, QueueModel } from './queue-model.ts';

/** Notes every move of a task, so that what nobody may do is seen even where it ends in an allowed state. */
export const noteMoves = `
  create table public.moves (place bigint generated always as identity, task bigint, was text, is_now text);
  create function public.note_move() returns trigger language plpgsql as $$
  begin
    insert into public.moves (task, was, is_now) values (new.id, case when tg_op = 'UPDATE' then old.state end, new.state);
    return null;
  end $$;
  create trigger note_insert after insert on tend.tasks for each row execute function public.note_move();
  create trigger note_move after update on tend.tasks for each row when (old.state <> new.state)
    execute function public.note_move()`;

interface Seen {
  tasks: unknown[];
  attempts: unknown[];
  moves: { was: string | null; is_now: string }[];
}

const look = `
  with moved as (delete from public.moves returning place, was, is_now)
  select coalesce((select jsonb_agg(jsonb_build_object(
           'id', id, 'kind', kind, 'queue', queue, 'priority', priority, 'state', state, 'attempt', attempt,
           'maxAttempts', max_attempts, 'onLost', on_lost, 'uniqueKey', unique_key, 'mutex', mutex, 'host', host,
           'fanOut', fan_out, 'isDue', run_at <= now(), 'isOver', finished_at is not null,
           'lease', case when lease_token is not null or state = 'running' then jsonb_build_object(
              'owner', lease_owner, 'token', lease_token, 'isExpired', lease_until < now(),
              'isCancelRequested', cancel_requested_at is not null,
              'places', jsonb_build_object('ofKind', limit_place is not null, 'ofHost', host_place is not null)) end,
           'hasReason', reason is not null or state not in ('held', 'failed', 'cancelled')) order by id)
           from tend.tasks), '[]') as tasks,
         coalesce((select jsonb_agg(jsonb_build_object('task', task_id, 'token', token, 'outcome', outcome) order by token)
           from tend.attempts), '[]') as attempts,
         coalesce((select jsonb_agg(jsonb_build_object('was', was, 'is_now', is_now) order by place) from moved), '[]') as moves`;

/** The database holds what the model says, and nobody moved a task but those who may. */
export async function compare(
  model: QueueModel,
  session: pg.Client,
  by: readonly Transition['by'][],
): Promise<void> {
  const { rows } = await session.query<Seen>(look);
  const [seen] = rows;
  expect(seen?.tasks).toEqual([...model.tasks.values()].toSorted((a, b) => a.id - b.id).map(shape));
  expect(seen?.attempts).toEqual(model.attempts.toSorted((a, b) => (a.token < b.token ? -1 : 1)));
  for (const { was, is_now: isNow } of seen?.moves ?? []) {
    const isAllowed =
      was === null
        ? ['waiting', 'running', 'missed'].includes(isNow)
        : transitions.some(({ from, to, by: actor }) => from === was && to === isNow && by.includes(actor));
    expect(isAllowed, `${was} → ${isNow} by ${by.join()}`).toBe(true);
  }
}

function shape({ runAt, lease, ...task }: ModelTask) {
  const { until: _until, ...known } = lease ?? { until: 0 };
  return {
    ...task,
    ...{ isDue: runAt !== Number.POSITIVE_INFINITY, hasReason: true },
    isOver: ['succeeded', 'failed', 'cancelled', 'missed'].includes(task.state),
    lease: lease === null ? null : known,
  };
}
