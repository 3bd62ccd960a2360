/** As `quotePart` of the schedules quotes. */
function quote(part: string): string {
  return `to_json(case when length(${part}) > 60 then left(${part}, 60) || '...' else ${part} end)::text`;
}

/**
 * `tend.check_cron(cron)`: why a cron expression is none, null when it is one. It takes and refuses what `parseCron` of
 * the schedules does, in the same words (a property test holds the two together): change both.
 */
export const checkCron = `create or replace function tend.check_cron(cron text)
  returns text language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $body$
  declare
    nicknames constant text := '@hourly @daily @midnight @weekly @monthly @yearly @annually';
    labels constant text[] := array['minute', 'hour', 'day of month', 'month', 'day of week'];
    lows constant integer[] := array[0, 0, 1, 1, 0];
    highs constant integer[] := array[59, 23, 31, 12, 7];
    names constant text[] :=
      array['', '', '', 'jan feb mar apr may jun jul aug sep oct nov dec', 'sun mon tue wed thu fri sat'];
    allowed constant text[] := array['from 0 to 59', 'from 0 to 23', 'from 1 to 31',
      'from 1 to 12 or from jan to dec', 'from 0 to 7 or from sun to sat'];
    fields constant text[] :=
      array_remove(regexp_split_to_array(coalesce(check_cron.cron, ''), '[ \\t]+'), '');
    whole constant text := array_to_string(fields, ' ');
    part text;
    base text;
    word text;
    step integer;
    value integer;
    bounds integer[];
    bad text;
    what text;
    first_day integer := 31;
    longest integer := 29;
  begin
    if fields[1] like '@%' then
      if whole = any (string_to_array(nicknames, ' ')) then return null; end if;
      return ${quote('whole')} || ' is none of ' || nicknames;
    end if;
    if cardinality(fields) <> 5 then
      return ${quote('whole')} || format(
        ' has %s %s: write five (minute, hour, day of month, month, day of week) or one of %s', cardinality(fields),
        case cardinality(fields) when 1 then 'field' else 'fields' end, nicknames);
    end if;

    for i in 1..5 loop
      foreach part in array string_to_array(fields[i], ',') loop
        bad := part;
        what := null;
        bounds := array[]::integer[];
        base := split_part(part, '/', 1);
        step := 1;
        if strpos(part, '/') > 0 then
          word := substr(part, strpos(part, '/') + 1);
          step := case
            when word !~ '^[0-9]+$' or ltrim(word, '0') = '' then 0
            when length(ltrim(word, '0')) > 4 then 9999
            else word::integer
          end;
        end if;

        if part = '' then
          bad := fields[i];
          what := 'has an empty part: write values between commas';
        elsif step = 0 then
          what := 'needs a whole number from 1 on after "/"';
        elsif base = '*' then
          bounds := array[lows[i], highs[i]];
        else
          foreach word in array
            case strpos(base, '-') when 0 then array[base]
              else array[split_part(base, '-', 1), substr(base, strpos(base, '-') + 1)] end
          loop
            value := case
              when word !~ '^[0-9]+$' then
                lows[i] + array_position(string_to_array(names[i], ' '), lower(word collate "C")) - 1
              when length(ltrim(word, '0')) > 4 then null
              else ('0' || ltrim(word, '0'))::integer
            end;
            if value between lows[i] and highs[i] then
              bounds := bounds || value;
            else
              bad := word;
              what := case word when part then '' else 'in ' || ${quote('part')} || ' ' end || 'is not ' || allowed[i];
              exit;
            end if;
          end loop;
          if what is null and cardinality(bounds) = 1 and strpos(part, '/') > 0 then
            what := format('steps from a single value: write "%s-%s/%s"', bounds[1], highs[i], step);
          elsif what is null and bounds[1] > bounds[2] then
            what := format('runs backwards: write "%s-%s,%s-%s"', bounds[1], highs[i], lows[i], bounds[2]);
          end if;
        end if;
        if what is not null then return labels[i] || ': ' || ${quote('bad')} || ' ' || what; end if;

        if i = 3 then
          first_day := least(first_day, bounds[1]);
        elsif i = 4 then
          for month in bounds[1]..coalesce(bounds[2], bounds[1]) by step loop
            longest := greatest(longest, case when month = 2 then 29 when month in (4, 6, 9, 11) then 30 else 31 end);
          end loop;
        end if;
      end loop;
    end loop;

    if fields[5] like '*%' and first_day > longest then
      return format('%s: %s never comes: month %s has %s days at most',
        labels[3], ${quote('fields[3]')}, ${quote('fields[4]')}, longest);
    end if;
    return null;
  end $body$`;
