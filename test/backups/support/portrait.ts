import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { TestDatabase } from '../../support/database.ts';
import { findPostgresBinaries } from '../../support/postgres-binaries.ts';
import { id } from './rich-database.ts';

/** Written for the tests, and apart from everything the product asks: one row for each thing. */
const questions: Record<string, string> = {
  database: `select pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider, datconnlimit,
      (select array_agg(a order by a::text) from unnest(datacl) a), shobj_description(oid, 'pg_database') from pg_database where datname = current_database()`,
  settings: `select coalesce(r.rolname, ''), s.setconfig from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole
      where s.setdatabase = (select oid from pg_database where datname = current_database())`,
  extensions: `select extname, extversion, extnamespace::regnamespace from pg_extension`,
  relations: `select c.oid::regclass, relkind, relpersistence, relrowsecurity, relforcerowsecurity, relreplident, relispartition, reloptions, pg_get_userbyid(relowner),
      (select array_agg(a order by a::text) from unnest(relacl) a), pg_get_expr(relpartbound, c.oid), relispopulated, obj_description(c.oid, 'pg_class')
      from pg_class c where OURS(c.relnamespace) and relkind <> 't'`,
  columns: `select attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attstattarget, attstorage, attcompression, attoptions,
      (select array_agg(a order by a::text) from unnest(attacl) a), attcollation::regcollation, pg_get_expr(d.adbin, d.adrelid), col_description(attrelid, attnum)
      from pg_attribute a join pg_class c on c.oid = attrelid left join pg_attrdef d on d.adrelid = attrelid and d.adnum = attnum
      where OURS(c.relnamespace) and attnum > 0 and not attisdropped and relkind <> 't'`,
  indexes: `select indexrelid::regclass, pg_get_indexdef(indexrelid), indisclustered, indisvalid, indisreplident from pg_index i join pg_class c on c.oid = i.indexrelid where OURS(c.relnamespace)`,
  constraints: `select conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated, condeferrable, condeferred, obj_description(oid, 'pg_constraint') from pg_constraint where OURS(connamespace)`,
  triggers: `select tgrelid::regclass, pg_get_triggerdef(oid), tgenabled from pg_trigger where not tgisinternal`,
  eventTriggers: `select evtname, evtevent, evtenabled, evttags, evtfoid::regproc, obj_description(oid, 'pg_event_trigger') from pg_event_trigger`,
  policies: `select p.*, obj_description(o.oid, 'pg_policy') from pg_policies p join pg_policy o on o.polname = p.policyname`,
  rules: `select * from pg_rules where schemaname !~ '^(pg_|information)'`,
  sequences: `select schemaname, sequencename, sequenceowner, data_type, start_value, min_value, max_value, increment_by, cycle, cache_size, last_value from pg_sequences`,
  functions: `select oid::regprocedure, prokind, case when prokind <> 'a' then pg_get_functiondef(oid) end, pg_get_userbyid(proowner), (select array_agg(a order by a::text) from unnest(proacl) a) from pg_proc where OURS(pronamespace)`,
  types: `select oid::regtype, typtype, pg_get_userbyid(typowner), typnotnull, (select array_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = t.oid) from pg_type t where OURS(typnamespace)`,
  operators: `select oid::regoperator, oprcode, oprcom::regoperator from pg_operator where OURS(oprnamespace)`,
  casts: `select castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext from pg_cast where oid >= 16384`,
  collations: `select collname, collprovider, coalesce(to_jsonb(c) ->> 'colliculocale', to_jsonb(c) ->> 'colllocale'), collcollate from pg_collation c where OURS(collnamespace)`,
  textSearch: `select cfgname, (select array_agg(mapdict::regdictionary::text order by maptokentype, mapseqno) from pg_ts_config_map where mapcfg = c.oid) from pg_ts_config c where OURS(cfgnamespace)`,
  statistics: `select pg_get_statisticsobjdef(oid), stxstattarget from pg_statistic_ext`,
  publications: `select p.pubname, puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, (select array_agg(pg_get_expr(prqual, prrelid) || prattrs::text) from pg_publication_rel where prpubid = p.oid),
      (select array_agg(pnnspid::regnamespace::text) from pg_publication_namespace where pnpubid = p.oid) from pg_publication p`,
  foreignData: `select srvname, pg_get_userbyid(srvowner), (select array_agg(o order by o) from unnest(srvoptions) o), (select array_agg(usename || (select array_agg(o order by o) from unnest(umoptions) o)::text) from pg_user_mappings m where m.srvid = s.oid) from pg_foreign_server s`,
  defaultPrivileges: `select pg_get_userbyid(defaclrole), defaclnamespace::regnamespace, defaclobjtype, (select array_agg(a order by a::text) from unnest(defaclacl) a) from pg_default_acl`,
  schemas: `select nspname, pg_get_userbyid(nspowner), (select array_agg(a order by a::text) from unnest(nspacl) a), obj_description(oid, 'pg_namespace') from pg_namespace where nspname !~ '^pg_'`,
  largeObjects: `select m.oid, pg_get_userbyid(lomowner), (select array_agg(a order by a::text) from unnest(lomacl) a), md5(lo_get(m.oid)), obj_description(m.oid, 'pg_largeobject') from pg_largeobject_metadata m`,
  inheritance: `select inhrelid::regclass, inhparent::regclass, inhseqno from pg_inherits`,
};

function ours(column: string): string {
  return `${column} in (select oid from pg_namespace where nspname !~ '^(pg_|information_schema|tend$)')`;
}

/**
 * Everything that can be seen of a database: the answers to the questions, a hash of the rows of each table, and what
 * pg_dump makes of its schema.
 */
export async function portrait(database: TestDatabase, name: string): Promise<Record<string, unknown>> {
  const client = await database.connect({ database: name });
  try {
    await client.query(`set search_path to ''; set timezone to 'UTC'`);
    const answers: Record<string, unknown> = {};
    for (const [title, question] of Object.entries(questions)) {
      const sql = question.replace(/OURS\(([\w.]+)\)/g, (_whole, column: string) => ours(column));
      const { rows } = await client.query({ text: sql, rowMode: 'array' });
      answers[title] = rows.map((row) => JSON.stringify(row)).sort();
    }
    const { rows: tables } = await client.query<{ schema: string; name: string }>(
      `select nspname as schema, relname as name from pg_class c join pg_namespace n on n.oid = relnamespace
        where relkind in ('r', 'm') and relispopulated and nspname !~ '^(pg_|information_schema|tend$)'`,
    );
    for (const table of tables) {
      const { rows } = await client.query(
        `select count(*)::int as n, md5(coalesce(string_agg(t::text, '|' order by t::text collate "C"), '')) as hash from only ${id(table.schema)}.${id(table.name)} t`,
      );
      answers[`rows of ${table.schema}.${table.name}`] = rows[0];
    }
    return { ...answers, schema: schemaOf(database, name) };
  } finally {
    await client.end();
  }
}

function schemaOf(database: TestDatabase, name: string): string[] {
  const text = execFileSync(
    join(findPostgresBinaries(), 'pg_dump'),
    ['--schema-only', '--no-subscriptions'],
    {
      env: { ...process.env, ...database.env, PGDATABASE: name },
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  // Each run of pg_dump makes up a key of its own for psql.
  return text.split('\n').filter((line) => !/^\\(un)?restrict /.test(line));
}
