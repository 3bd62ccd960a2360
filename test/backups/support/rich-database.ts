/** Roles of the rich database: names are of the whole cluster, so each test file has its own. */
export interface RichRoles {
  owner: string;
  app: string;
  reader: string;
}

export function richRoles(database: string): RichRoles {
  return { owner: `${database}_owner`, app: `${database}_app`, reader: `${database} "reader"` };
}

export function id(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Run by a superuser in any database of the server. */
export function richRolesSql({ owner, app, reader }: RichRoles): string {
  return `create role ${id(owner)} createrole; create role ${id(app)}; create role ${id(reader)}; grant ${id(reader)} to ${id(app)}`;
}

/**
 * A database with one of everything that a schema can hold, owned by several roles. What is missing on purpose:
 * subscriptions (a restore leaves them out), tablespaces and security labels.
 */
export function richDatabaseSql(roles: RichRoles): string {
  const [owner, app, reader] = [id(roles.owner), id(roles.app), id(roles.reader)];
  return `
create extension pgcrypto; create extension pg_trgm; create extension citext; create extension btree_gist; create extension postgres_fdw;
create schema shop authorization ${owner}; create schema "Odd ""name""";
grant usage on schema shop to ${app}, ${reader}; comment on schema shop is 'it''s the shop';
alter default privileges for role ${owner} in schema shop grant select on tables to ${reader};
alter default privileges for role ${owner} revoke execute on functions from public;

create domain shop.email as citext check (value ~ '@') not null; comment on domain shop.email is 'an address';
create type shop.state as enum ('new', 'paid', 'sent "off"'); alter type shop.state add value 'lost' before 'sent "off"';
create type shop.money_pair as (amount numeric(12,2), currency char(3));
create type shop.price_range as range (subtype = numeric, multirange_type_name = shop.price_ranges);
create collation shop.german (provider = icu, locale = 'de-u-co-phonebk'); create collation shop.plain from "C";
create text search configuration shop.simple_de (copy = simple);
alter text search configuration shop.simple_de alter mapping for asciiword with simple;
create text search dictionary shop.stems (template = simple, accept = false);
create function shop.pair_equal(shop.money_pair, shop.money_pair) returns boolean language sql immutable as 'select $1.amount = $2.amount and $1.currency = $2.currency';
create operator shop.=== (leftarg = shop.money_pair, rightarg = shop.money_pair, function = shop.pair_equal, commutator = operator(shop.===));
create function shop.state_number(shop.state) returns int language sql immutable as $$ select case $1 when 'new' then 1 else 2 end $$;
create cast (shop.state as int) with function shop.state_number(shop.state) as assignment;
create aggregate shop.product(numeric) (sfunc = numeric_mul, stype = numeric, initcond = '1');
create function shop.touch() returns trigger language plpgsql security definer set search_path = pg_catalog cost 7 as $$ begin new.touched = now(); return new; end $$;
create procedure shop.rest(inout n int default 3) language plpgsql as $$ begin n := n + 1; end $$;
revoke execute on function shop.state_number(shop.state) from public; grant execute on function shop.state_number(shop.state) to ${app};

create table shop.customers (
  id bigint primary key generated always as identity (start with 100 increment by 5 cache 20),
  mail shop.email unique, name text collate shop.german, lower_name text generated always as (lower(name)) stored,
  secret bytea, note text compression pglz, touched timestamptz default now(), tags text[], price shop.price_range,
  constraint named check (length(name) > 0));
alter table shop.customers owner to ${owner};
comment on table shop.customers is 'who buys'; comment on column shop.customers.mail is E'tab\\there, "quotes"'; comment on constraint named on shop.customers is 'not empty';
grant select (id, name), update (name) on shop.customers to ${app} with grant option; grant select on shop.customers to ${reader};
alter table shop.customers alter column name set statistics 321, alter column tags set (n_distinct = -0.5), alter column secret set storage external, set (fillfactor = 77, autovacuum_enabled = false);
create index customers_trigram on shop.customers using gin (name gin_trgm_ops);
create unique index customers_partial on shop.customers (lower(name)) include (id) where name like 'A%';
create index customers_name on shop.customers (name desc nulls last) with (fillfactor = 60); alter table shop.customers cluster on customers_name;
create statistics shop.linked (dependencies, ndistinct, mcv) on name, note from shop.customers; alter statistics shop.linked set statistics 55;
create trigger touches before update on shop.customers for each row when (old.name is distinct from new.name) execute function shop.touch();
create trigger sleeps before update on shop.customers for each row execute function shop.touch(); alter table shop.customers disable trigger sleeps;
create trigger replicates before update on shop.customers for each row execute function shop.touch(); alter table shop.customers enable replica trigger replicates;
create trigger always before insert on shop.customers for each row execute function shop.touch(); alter table shop.customers enable always trigger always;
alter table shop.customers enable row level security; alter table shop.customers force row level security;
create policy own on shop.customers as restrictive for update to ${app}, ${reader} using (id > 3) with check (name <> '');
create policy everybody on shop.customers using (true); comment on policy own on shop.customers is 'careful';
create rule quiet as on delete to shop.customers where old.id < 0 do instead nothing;

create table shop.orders (
  id serial, customer bigint not null references shop.customers deferrable initially deferred, state shop.state default 'new', paid shop.money_pair,
  during tstzrange, at date not null, primary key (id, at), exclude using gist (customer with =, during with &&) where (state = 'paid'));
alter table shop.orders owner to ${owner}; alter table shop.orders replica identity full;
alter table shop.orders add constraint late check (at > '2001-01-01') not valid, add constraint twice unique (customer, at, id) deferrable initially immediate;
alter table shop.orders add foreign key (customer) references shop.customers (id) on delete cascade on update set default not valid;

create table shop.log (at timestamptz not null, kind text, n int) partition by range (at);
create table shop.log_2025 partition of shop.log for values from ('2025-01-01') to ('2026-01-01') partition by list (kind);
create table shop.log_2025_a partition of shop.log_2025 for values in ('a', 'b'); create table shop.log_2025_rest partition of shop.log_2025 default;
create table shop.log_rest partition of shop.log default;
create table shop.log_old (like shop.log); alter table shop.log attach partition shop.log_old for values from ('2020-01-01') to ('2021-01-01'); alter table shop.log detach partition shop.log_old;
create index log_n on shop.log (n); create table shop.hashed (id int, v text) partition by hash (id);
create table shop.hashed_0 partition of shop.hashed for values with (modulus 2, remainder 0); create table shop.hashed_1 partition of shop.hashed for values with (modulus 2, remainder 1);
create table shop.parent (a int, b text default 'p'); create table shop.child (c int) inherits (shop.parent); alter table shop.child alter b set default 'c';
create unlogged table shop.cache (k text primary key, v jsonb);
create table "Odd ""name"""."Select; drop" ("from" int primary key, "Ü" text); alter table "Odd ""name"""."Select; drop" owner to ${app}; create table shop.empty ();

create sequence shop.tickets as smallint start 10 increment -5 minvalue -100 maxvalue 10 cycle; create sequence shop.unused cache 50; create sequence shop.fresh; 
alter sequence shop.fresh owner to ${app};
create view shop.open_orders with (security_barrier) as select id, customer from shop.orders where state = 'new' with cascaded check option; alter view shop.open_orders owner to ${app};
create materialized view shop.totals as select customer, count(*) as n from shop.orders group by customer; create unique index totals_customer on shop.totals (customer);
create materialized view shop.later as select 1 as one with no data;
create function shop.guard() returns event_trigger language plpgsql as 'begin null; end';
create event trigger guards on ddl_command_start when tag in ('DROP TABLE') execute function shop.guard(); comment on event trigger guards is 'watches'; create event trigger off on sql_drop execute function shop.guard(); alter event trigger off disable;
create publication parts for table shop.orders (id, at, customer) where (id > 5) with (publish = 'insert, update'); create publication schemas for tables in schema "Odd ""name"""; create publication everything for all tables;
create server elsewhere foreign data wrapper postgres_fdw options (host 'example.invalid', dbname 'x'); alter server elsewhere owner to ${owner};
create user mapping for ${app} server elsewhere options (user 'u', password 'not a real one'); create foreign table shop.far (id int options (column_name 'ID')) server elsewhere options (table_name 't');

insert into shop.customers (mail, name, secret, note, tags, price) select 'c' || n || '@example.org', 'Ärger "' || n || E'"\\t\\\\N', decode(md5(n::text), 'hex'), repeat('long ', n), array['a', null, n::text], shop.price_range(n, n + 1) from generate_series(1, 60) n;
insert into shop.orders (customer, state, paid, during, at) select 100 + 5 * n, 'paid', row(n, 'EUR')::shop.money_pair, tstzrange('2025-01-01'::timestamptz + n * interval '1 day', '2025-01-01'::timestamptz + n * interval '1 day 1 hour'), date '2025-01-01' + n from generate_series(0, 50) n;
insert into shop.log select '2025-03-01'::timestamptz + n * interval '9 days', chr(97 + n % 5), n from generate_series(1, 80) n; insert into shop.log_old values ('2020-05-05', 'x', 1);
insert into shop.hashed select n, n::text from generate_series(1, 30) n; insert into shop.parent values (1, 'one'); insert into shop.child values (2, 'two', 22); insert into shop.cache values ('k', '{"v": 1.50}');
insert into "Odd ""name"""."Select; drop" values (1, E'new\\nline'), (2, null); refresh materialized view shop.totals;
select nextval('shop.tickets') from generate_series(1, 3); select setval('shop.fresh', 41, false);
select lo_from_bytea(700001, decode(repeat('00ff', 5000), 'hex')), lo_from_bytea(700002, ''); alter large object 700001 owner to ${owner}; grant select on large object 700001 to ${reader}; comment on large object 700001 is 'a picture';
`;
}

/** Run by a superuser: what belongs to the database as such. */
export function richPropertiesSql(database: string, roles: RichRoles): string[] {
  const name = id(database);
  return [
    `alter database ${name} owner to ${id(roles.owner)}`,
    `alter database ${name} set search_path to '$user', 'Odd "name"', shop, public`,
    `alter database ${name} set "cms.motto" to E'it''s, "fine"; alter database x \\n set'`,
    `alter database ${name} set work_mem to '5MB'`,
    `alter role ${id(roles.reader)} in database ${name} set statement_timeout to '7s'`,
    `alter database ${name} connection limit 42`,
    `comment on database ${name} is 'the site''s "database"'`,
    `revoke connect, temporary on database ${name} from public`,
    `grant connect on database ${name} to ${id(roles.app)} with grant option`,
    `grant create on database ${name} to ${id(roles.reader)}`,
  ];
}
