import { type RawBuilder, sql } from 'kysely';
import type { ClaimedTask, ClaimOptions } from './claim-due-tasks.ts';
import { candidates, claimedColumns, lease } from './claim-statement.ts';

/**
 * The claim where kinds have limits over all hosts, or this host one over all kinds. A running task takes a numbered
 * place of its kind and of its host, and two claims that take the same one are decided by a unique index, as for a mutex;
 * counting alone would let both through. The count matters where places do not tell: tasks that a person started take
 * none, nor do those that began before there was a limit, and a lowered limit leaves places above it.
 */
export async function claimWithinLimits(options: ClaimOptions): Promise<ClaimedTask[]> {
  const { worker, kinds, count, hostLimit } = options;
  const hostPlaces = hostLimit === undefined ? undefined : freeHostPlaces(worker.host, hostLimit);
  const { rows } = await sql<ClaimedTask>`
    with ${limitedKinds(kinds)}, ${hostPlaces === undefined ? sql`` : sql`${hostPlaces},`}
    candidates as (${candidates(options, {
      limit:
        hostPlaces === undefined
          ? sql`${count}`
          : sql`least(${count}::bigint, (select count(*) from free_host_places))`,
      condition: sql`true`,
      saturatedKinds: sql`select l.kind from limited l where l.left_over <= 0`,
    })}
    ), ranked as (
      select c.*, l.kind is not null as is_limited,
             row_number() over (
               partition by coalesce('m' || c.mutex, 'i' || c.id) order by c.priority, c.run_at, c.id) as place,
             (c.mutex is null and c.on_lost = 'retry' and l.kind is null)
               or row_number() over (order by c.priority, c.run_at, c.id) <= ${options.startable ?? count} as may_wait
        from candidates c left join limited l on l.kind = c.kind
    ), chosen as (
      select r.id, r.kind, r.is_limited,
             row_number() over (partition by r.kind order by r.priority, r.run_at, r.id) as of_kind
        from ranked r where r.place = 1 and r.may_wait
    ), placed as (
      select c.id, f.limit_place, row_number() over (order by f.kind, f.limit_place, c.id) as of_host
        from chosen c left join free_places f on c.is_limited and f.kind = c.kind and f.nth = c.of_kind
       where not c.is_limited or f.limit_place is not null
    ), won as (
      update tend.tasks t
         set ${lease(options)}, limit_place = p.limit_place,
             host_place = ${hostPlaces === undefined ? sql`null` : sql`(select h.host_place from free_host_places h where h.nth = p.of_host)`}
        from placed p
       where t.id = p.id
      returning t.*
    )
    select ${claimedColumns} from won t order by t.priority, t.run_at, t.id`.execute(options.db);
  return rows;
}

/** The kinds with `max_running`, how many more of each may run, and the places that are free for them. */
function limitedKinds(kinds: readonly string[]): RawBuilder<unknown> {
  return sql`
    limited as materialized (
      select k.kind, k.max_running, k.max_running - (
               select count(*) from tend.tasks r where r.state = 'running' and r.kind = k.kind) as left_over
        from tend.kinds k where k.max_running is not null and k.kind = any(${kinds}::text[])
    ), free_places as materialized (
      select l.kind, p.limit_place, p.nth
        from limited l cross join lateral (
               select n.place::smallint as limit_place, row_number() over (order by n.place) as nth
                 from generate_series(1, l.max_running) as n (place)
                where not exists (select from tend.tasks r
                                   where r.state = 'running' and r.kind = l.kind and r.limit_place = n.place)
                order by n.place limit greatest(l.left_over, 0)) p
       where l.left_over > 0
    )`;
}

/** The places that are free on this host, over all its ticks. */
function freeHostPlaces(host: string, limit: number): RawBuilder<unknown> {
  const running = sql`tend.tasks r where r.state = 'running' and split_part(r.lease_owner, ':', 1) = ${host}`;
  return sql`
    free_host_places as materialized (
      select n.place::smallint as host_place, row_number() over (order by n.place) as nth
        from generate_series(1, ${limit}::integer) as n (place)
       where not exists (select from ${running} and r.host_place = n.place)
       order by n.place limit greatest(${limit}::integer - (select count(*) from ${running}), 0)
    )`;
}
