import type { BenchDatabase } from './bench.ts';

/**
 * Fills a database with what applications have: pgbench's accounts, customers in jsonb with GIN indexes, prose with a
 * full-text index, events, random bytes that no compression helps, large objects, a materialized view.
 *
 * @param options.gigabytes what `pg_database_size` will say, about.
 */
export async function fillMixed(
  { client, connection }: BenchDatabase,
  { gigabytes }: { gigabytes: number },
): Promise<void> {
  const of = (count: number) => Math.round(count * gigabytes);
  await client.query('set synchronous_commit = off');
  await client.query(
    'create table words as select n as place, md5(n::text) as word from generate_series(1, 4000) n',
  );
  await client.query('update words set word = substr(word, 1, 3 + place % 7)');
  await client.query('alter table words add primary key (place)');
  await client.query('vacuum analyze words');
  for (const statement of tables(of)) await client.query(statement);
  await client.query('vacuum analyze');
  await client.query('checkpoint');
  const sized = `select pg_database_size($1) as bytes`;
  const { rows } = await client.query<{ bytes: number }>(sized, [connection.database]);
  const bytes = Number(rows[0]?.bytes);
  if (bytes < gigabytes * 1e9) throw new Error(`The database has ${bytes} bytes, not ${gigabytes} GB.`);
}

function tables(of: (count: number) => number): string[] {
  return [
    `create table accounts as
       select n as aid, n % 50 as bid, (n * 79) % 100000 - 50000 as abalance, repeat(' ', 84)::char(84) as filler
         from generate_series(1, ${of(3_200_000)}) n`,
    `alter table accounts add primary key (aid)`,
    `create table customers (id bigint primary key generated always as identity, profile jsonb, tags text[])`,
    `insert into customers (profile, tags)
       select jsonb_build_object('name', md5(n::text), 'mail', md5(n::text) || '@example.org', 'age', n % 90,
                'city', w.word, 'orders', jsonb_build_array(n, n * 3 % 1000, n * 7 % 1000)),
              array[w.word, 'tag' || n % 200]
         from generate_series(1, ${of(210_000)}) n join words w on w.place = 1 + n % 4000`,
    `create index on customers using gin (profile jsonb_path_ops)`,
    `create index on customers using gin (tags)`,
    `create table articles (id bigint primary key generated always as identity, title text, body text)`,
    `insert into articles (title, body)
       select 'Article ' || a, (select string_agg(w.word, ' ') from words w
                                 where w.place between 1 + (a * 37) % 3800 and 110 + (a * 37) % 3800)
         from generate_series(1, ${of(90_000)}) a`,
    `create index on articles using gin (to_tsvector('simple', body))`,
    `create table events (id bigint primary key generated always as identity, at timestamptz, data jsonb)`,
    `insert into events (at, data)
       select timestamptz '2026-01-01' + n * interval '7 s', jsonb_build_object('kind', n % 17, 'user', (n * 31) % 90000)
         from generate_series(1, ${of(800_000)}) n`,
    `create index on events (at)`,
    `create table files (id int primary key, content bytea)`,
    `alter table files alter content set storage external`,
    `insert into files
       select f, (select string_agg(sha512((f || '-' || n)::bytea), '') from generate_series(1, 1920) n)
         from generate_series(1, ${of(1050)}) f`,
    `select lo_from_bytea(0, (select string_agg(sha512((f || '+' || n)::bytea), '') from generate_series(1, 1024) n))
       from generate_series(1, ${of(520)}) f`,
    `create materialized view kinds as select data ->> 'kind' as kind, count(*) from events group by 1`,
  ];
}
