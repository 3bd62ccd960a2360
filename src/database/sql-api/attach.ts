/** `tend.attach(content, filename, content_type) → bigint`: bytes that any number of messages can attach. */
export const attach = `
create or replace function tend.attach(content bytea, filename text, content_type text default null)
returns bigint language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
#variable_conflict use_column
declare
  new_id bigint;
begin
  if attach.content is null then
    raise exception 'tend.attach: there is no content' using errcode = '22023';
  end if;
  if octet_length(attach.content) > 52428800 then
    raise exception 'tend.attach: % bytes are too many', octet_length(attach.content)
      using errcode = '22023', hint = 'The attachments of one message may have 50 MiB together.';
  end if;
  if attach.filename is null or octet_length(attach.filename) not between 1 and 255
     or attach.filename ~ '[[:cntrl:]/\\\\]' then
    raise exception 'tend.attach: "%" cannot be a filename', left(attach.filename, 200)
      using errcode = '22023', hint = 'Between 1 and 255 bytes, without slashes and control characters.';
  end if;
  if attach.content_type !~ '^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$' then
    raise exception 'tend.attach: "%" cannot be a content_type', left(attach.content_type, 200)
      using errcode = '22023', hint = 'A media type such as application/pdf, or null to guess it from the name.';
  end if;
  insert into tend.attachments (content, filename, content_type)
  values (attach.content, attach.filename, attach.content_type) returning id into new_id;
  return new_id;
end $body$`;
