/**
 * `tend.enqueue_follow_ups(finished, tasks) → integer`: enqueues what a task left behind, in the statement that finishes
 * it, and says on each whose it is. For the owner alone, and granted to nobody. It is a function because a statement
 * does not see the rows that functions it calls have made, and `enqueued_by` is set on those.
 */
export const enqueueFollowUps = `
create or replace function tend.enqueue_follow_ups(finished bigint, tasks jsonb) returns integer
language plpgsql volatile set search_path = pg_catalog, pg_temp as $body$
declare
  given record;
  first_id bigint;
  done integer := 0;
begin
  for given in
    select * from jsonb_to_recordset(enqueue_follow_ups.tasks) as g (
      kind text, payload jsonb, "delayMs" float8, queue text, priority integer, "uniqueKey" text, mutex text, host text,
      "maxAttempts" integer)
  loop
    first_id := tend.enqueue(given.kind, given.payload, now() + given."delayMs" * interval '1 ms', given.queue,
      given.priority, given."uniqueKey", given.mutex, given.host, given."maxAttempts");
    update tend.tasks t set enqueued_by = enqueue_follow_ups.finished where t.id = first_id;
    if given.host = '*' then
      update tend.tasks t set enqueued_by = enqueue_follow_ups.finished
       where t.fan_out = first_id and t.state = 'waiting';
    end if;
    done := done + 1;
  end loop;
  return done;
end $body$`;
