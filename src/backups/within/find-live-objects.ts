import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { queueSchema } from './select-entries.ts';

/** Something in a database, called as a table of contents calls it. */
export interface LiveObject {
  /** As `ArchiveEntry` has them; that of a schema or extension is empty. */
  schema: string;
  kind: string;
  name: string;
  /** Belongs to an extension, and stays when what is around it is replaced. */
  isOfExtension: boolean;
  /** Whether this role may replace it. */
  isOurs: boolean;
}

/**
 * The schemas, extensions, tables and the like, functions and types of a database, without those of the server and of the
 * queue. Types of arguments are written as pg_dump writes them, whatever the search path of the role is.
 */
export async function findLiveObjects(db: Kysely<Database>): Promise<LiveObject[]> {
  return await db.transaction().execute(async (trx) => {
    await sql`select pg_catalog.set_config('search_path', '', true)`.execute(trx);
    const { rows } = await sql<LiveObject>`
      with found as (
        select '' as schema, 'SCHEMA' as kind, nspname::text as name, nspowner as owner,
               'pg_namespace'::pg_catalog.regclass as class, oid, nspname::text as inside from pg_catalog.pg_namespace
        union all
        select '', 'EXTENSION', extname, extowner, 'pg_extension'::pg_catalog.regclass, oid, '' from pg_catalog.pg_extension
        union all
        select n.nspname, case c.relkind when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW' when 'S' then 'SEQUENCE'
                 when 'f' then 'FOREIGN TABLE' else 'TABLE' end,
               c.relname, c.relowner, 'pg_class'::pg_catalog.regclass, c.oid, n.nspname
          from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and c.relpersistence <> 't'
        union all
        select n.nspname, case p.prokind when 'a' then 'AGGREGATE' when 'p' then 'PROCEDURE' else 'FUNCTION' end,
               p.proname || '(' || case when p.prokind = 'a' and p.pronargs = 0 then '*' else
                 pg_catalog.array_to_string(array(select pg_catalog.format_type(t, null)
                   from pg_catalog.unnest(p.proargtypes) with ordinality as a (t, nth) order by nth), ', ') end || ')',
               p.proowner, 'pg_proc'::pg_catalog.regclass, p.oid, n.nspname
          from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        union all
        select n.nspname, case t.typtype when 'd' then 'DOMAIN' else 'TYPE' end, t.typname, t.typowner,
               'pg_type'::pg_catalog.regclass, t.oid, n.nspname
          from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
          left join pg_catalog.pg_class c on c.oid = t.typrelid
         where t.typtype in ('d', 'e', 'r') or (t.typtype = 'c' and c.relkind = 'c')
      )
      select schema, kind, name, pg_catalog.pg_has_role(owner, 'USAGE') as "isOurs",
             exists (select from pg_catalog.pg_depend d
               where d.classid = f.class and d.objid = f.oid and d.deptype = 'e') as "isOfExtension"
        from found f
       where inside !~ '^pg_' and inside not in ('information_schema', ${queueSchema})
       order by 1, 2, 3`.execute(trx);
    return rows;
  });
}
