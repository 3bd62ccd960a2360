/** View `tend.task_overview`. New columns go to the end: `create or replace view` can add them nowhere else. */
export const taskOverview = `
create or replace view tend.task_overview as
  select t.id, t.kind, t.queue, t.state, t.reason, t.priority, t.run_at, t.state = 'waiting' and t.run_at <= now() as due,
    t.attempt, t.max_attempts, t.unique_key, t.mutex, t.host, t.lease_owner as worker, t.lease_until,
    t.cancel_requested_at, t.last_error, t.created_at, t.created_by, t.started_at, t.finished_at,
    t.schedule, t.slot_at, t.fan_out, t.enqueued_by
  from tend.tasks t`;
