import { type RawBuilder, sql } from 'kysely';

/** Begins the unique key of a message that tells of an alert: its own failure is none, or it would tell of itself. */
export const alertKeyPrefix = 'tend:alert:';

/** What a statement that ends attempts says of `tend.alerts`. */
export interface NoteClauses {
  /** More columns of its query `moved`, which has the rows that went, with `id` and `state`. */
  columns: RawBuilder<unknown>;
  noted: RawBuilder<unknown>;
}

/** Where nothing failed, and nothing that was broken succeeded. */
export const noNotes: NoteClauses = { columns: sql``, noted: sql`` };

/**
 * Notes in `tend.alerts` what broke and what works again, in the statement that moves the tasks: one row for each kind,
 * schedule and pinned host, however many failed. Nobody is told here; a tick does that, when `due_at` has come.
 *
 * - A failure makes a row `broken`, and due at once. One that is broken stays due when it was: at its daily reminder.
 * - A success makes it `recovered`, unless another of its tasks is held for a person. That is due at once as well; after a
 *   relapse (it broke within a day of recovering) only when it has held for a day, and a failure until then is no news.
 * - Where some of one key fail and some succeed in one statement, it is broken.
 *
 * Locks one row a key, in their order, until the statement ends.
 */
export const noteOutcomes: NoteClauses = {
  columns: sql`, t.kind, coalesce(t.schedule, '') as of_schedule, coalesce(t.host, '') as of_host,
    coalesce(starts_with(t.unique_key, ${sql.lit(alertKeyPrefix)}), false) as is_alert`,
  noted: sql`, keys as materialized (
      select m.kind, m.of_schedule, m.of_host, max(m.id) filter (where m.state in ('failed', 'held')) as failed_id,
             count(*) filter (where m.state in ('failed', 'held')) as failures
        from moved m
       where m.state in ('failed', 'held', 'succeeded') and not m.is_alert
       group by m.kind, m.of_schedule, m.of_host
    ), broke as (
      insert into tend.alerts as a (kind, schedule, host, failures, last_task_id)
      select k.kind, k.of_schedule, k.of_host, k.failures, k.failed_id
        from keys k where k.failures > 0 order by k.kind, k.of_schedule, k.of_host
      on conflict (kind, schedule, host) do update
        set phase = 'broken', recovered_at = null, last_failed_at = now(), last_task_id = excluded.last_task_id,
            broken_since = case when ${isSameStory()} then a.broken_since else now() end,
            failures = case when ${isSameStory()} then a.failures else 0 end + excluded.failures,
            is_relapse = case when ${isSameStory()} then a.is_relapse else a.recovered_at > now() - interval '1 day' end,
            last_mailed_at = case when ${isSameStory()} then a.last_mailed_at end,
            mail_task_id = case when ${isSameStory()} then a.mail_task_id end,
            due_at = case when a.phase = 'broken' then a.due_at
                          when ${isSameStory()} then coalesce(a.last_mailed_at + interval '1 day', now())
                          else now() end
    ), recovered as (
      update tend.alerts a
         set phase = 'recovered', recovered_at = now(),
             due_at = case when a.is_relapse then greatest(now(), a.last_failed_at + interval '1 day') else now() end
        from keys k
       where k.failures = 0 and a.phase = 'broken'
         and a.kind = k.kind and a.schedule = k.of_schedule and a.host = k.of_host
         and not exists (select from tend.tasks h
                          where h.state = 'held' and h.kind = a.kind and coalesce(h.schedule, '') = a.schedule
                            and coalesce(h.host, '') = a.host and not starts_with(h.reason, 'restored'))
    )`,
};

/** Whether a failure belongs to what was broken before: it still is, or its recovery was not told yet and cannot be now. */
function isSameStory(): RawBuilder<unknown> {
  return sql`(a.phase = 'broken' or a.phase = 'recovered' and (a.due_at > now()
    or a.last_mailed_at is null and a.recovered_at > now() - interval '1 day'))`;
}
