/** The roles and the database of the demo site, made by the server's superuser. */
export const rolesSql = `\
-- cms_owner owns the database and is who tend connects as; CREATEDB is for restores.
create role cms_owner login createdb;
-- cms_app is who the application connects as; in the queue it may call functions, nothing else.
create role cms_app login;
create database cms owner cms_owner;
`;

/** The tables of the demo site, with content. */
export const siteSql = `\
create table authors (
  id integer primary key generated always as identity,
  name text not null,
  email text not null unique
);
create table articles (
  id integer primary key generated always as identity,
  author_id integer not null references authors,
  title text not null,
  body text not null,
  published_at timestamptz not null
);
create table comments (
  id integer primary key generated always as identity,
  article_id integer not null references articles,
  author text not null,
  body text not null,
  written_at timestamptz not null default now()
);

insert into authors (name, email) values
  ('Zofia Żak', 'zofia@example.org'), ('Jürgen Groß', 'juergen@example.org'), ('Renée Noël', 'renee@example.org');

insert into articles (author_id, title, body, published_at)
select 1 + n % 3, format('Harbour notes, part %s', n), repeat(format('The tide of day %s. ', n), 40),
       timestamptz '2026-01-01 08:00Z' + n * interval '1 day'
  from generate_series(1, 120) n;

insert into comments (article_id, author, body, written_at)
select 1 + n % 120, format('Reader %s', n % 77), format('Comment %s: well said.', n),
       timestamptz '2026-06-01 12:00Z' + n * interval '1 minute'
  from generate_series(1, 2400) n;

grant select on authors, articles to cms_app;
grant select, insert, update, delete on comments to cms_app;
`;

/** The application's transaction: its own rows, and five tasks. */
export const queueTasksSql = `\
begin;

insert into comments (article_id, author, body)
values (7, 'Ann Lee', 'When is the next tour of the lighthouse?');

select tend.enqueue('backup', '{"label": "before the release"}');
select tend.enqueue('compile-translations');
select tend.enqueue('resize-images', '{"width": 320}');
select tend.enqueue('send-mail', jsonb_build_object(
         'to', 'Ann Lee <ann@example.org>',
         'subject', 'Your comment on ' || title,
         'text', E'Dear Ann,\\n\\nyour comment is online: thank you!\\n\\nThe editors\\n'))
  from articles where id = 7;
select tend.enqueue('restore', '{"source": "latest", "into": "cms_copy"}', priority => 10);

commit;
`;

/** One row that says what a database of the site holds: to compare the live one with a restored one. */
export const countRowsSql = `\
select (select count(*) from authors) as authors, (select count(*) from articles) as articles,
       (select count(*) from comments) as comments,
       (select md5(string_agg(a::text, '|' order by id)) from articles a) as md5_of_articles;
`;

/** Everybody who is connected, except the one who asks. */
export const sessionsLeftSql = `\
select 'sessions left: ' || count(*) from pg_stat_activity
 where backend_type in ('client backend', 'walsender') and pid <> pg_backend_pid();
`;
