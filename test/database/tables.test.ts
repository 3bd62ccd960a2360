import type { InsertType, SelectType } from 'kysely';
import { expect, it } from 'vitest';
import type { Database } from '../../src/database/tables.ts';
import { createTestDatabase } from '../support/database.ts';

type Rough<T> = [T] extends [Date]
  ? 'date'
  : [T] extends [number]
    ? 'number'
    : [T] extends [boolean]
      ? 'boolean'
      : [T] extends [string]
        ? 'text'
        : [T] extends [Buffer]
          ? 'bytes'
          : 'json';

/** `?` for what may be null, `=` for what the database fills in when it is left out. */
type Described<Column> =
  `${Rough<NonNullable<SelectType<Column>>>}${null extends SelectType<Column> ? '?' : ''}${[
    InsertType<Column>,
  ] extends [never]
    ? '='
    : undefined extends InsertType<Column>
      ? '='
      : ''}`;

/** The compiler holds this list against the row types; the test holds it against the migrated database. */
const tables: {
  [Table in keyof Database]: { [Column in keyof Database[Table]]-?: Described<Database[Table][Column]> };
} = {
  'tend.meta': {
    only_row: 'boolean=',
    schema_version: 'number',
    epoch: 'number=',
    database_uuid: 'text=',
    system_identifier: 'text?',
    database_oid: 'number',
    database_name: 'text',
    created_at: 'date=',
  },
  'tend.kinds': {
    kind: 'text',
    source: 'text',
    max_attempts: 'number',
    on_lost: 'text',
    mutex: 'text?',
    updated_at: 'date=',
    max_running: 'number?',
  },
  'tend.hosts': {
    host: 'text',
    first_seen_at: 'date=',
    last_tick_at: 'date=',
    ticks: 'number=',
    last_busy_at: 'date?',
    last_outcome: 'text?',
    last_worker: 'text',
    kinds_fingerprint: 'text?',
    schedules_fingerprint: 'text?',
  },
  'tend.tasks': {
    id: 'number=',
    kind: 'text',
    queue: 'text=',
    payload: 'json=',
    priority: 'number=',
    run_at: 'date=',
    state: 'text=',
    reason: 'text?',
    attempt: 'number=',
    max_attempts: 'number=',
    max_attempts_given: 'boolean=',
    on_lost: 'text=',
    unique_key: 'text?',
    mutex: 'text?',
    host: 'text?',
    lease_owner: 'text?',
    lease_token: 'text?',
    lease_until: 'date?',
    started_at: 'date?',
    cancel_requested_at: 'date?',
    last_error: 'text?',
    created_at: 'date=',
    created_by: 'text=',
    finished_at: 'date?',
    schedule: 'text?',
    slot_at: 'date?',
    fan_out: 'number?',
    enqueued_by: 'number?',
    limit_place: 'number?',
    host_place: 'number?',
  },
  'tend.schedules': {
    name: 'text',
    source: 'text',
    declared_by: 'json=',
    cron: 'text',
    timezone: 'text=',
    kind: 'text',
    payload: 'json=',
    queue: 'text=',
    priority: 'number=',
    host: 'text?',
    catch_up: 'text=',
    max_late: 'json=',
    overlap: 'text=',
    enabled: 'boolean=',
    disabled_reason: 'text?',
    next_slot: 'date=',
    last_slot: 'date?',
    defined_at: 'date=',
    problem: 'text?',
    conflict: 'text?',
    created_at: 'date=',
    created_by: 'text=',
  },
  'tend.pauses': {
    scope: 'text',
    name: 'text',
    reason: 'text?',
    paused_at: 'date=',
    paused_by: 'text=',
  },
  'tend.app_health': {
    host: 'text',
    failures: 'number=',
    failing_since: 'date?',
    last_error: 'text?',
    restarts: 'number=',
    restarted_at: 'date?',
    is_reported: 'boolean=',
    checked_at: 'date=',
  },
  'tend.alerts': {
    kind: 'text',
    schedule: 'text=',
    host: 'text=',
    phase: 'text=',
    broken_since: 'date=',
    last_failed_at: 'date=',
    failures: 'number=',
    last_task_id: 'number',
    recovered_at: 'date?',
    is_relapse: 'boolean=',
    due_at: 'date=',
    last_mailed_at: 'date?',
    mail_task_id: 'number?',
  },
  'tend.connection_samples': {
    sampled_at: 'date',
    total: 'number',
    active: 'number',
    idle: 'number',
    idle_in_transaction: 'number',
    by_application: 'json=',
    max_connections: 'number',
  },
  'tend.attempts': {
    task_id: 'number',
    token: 'text',
    attempt: 'number',
    owner: 'text',
    started_at: 'date',
    finished_at: 'date=',
    outcome: 'text',
    exit_code: 'number?',
    error: 'text?',
    output_tail: 'text?',
    evidence: 'json?',
  },
  'tend.backups': {
    id: 'text',
    task_id: 'number?',
    host: 'text',
    directory: 'text',
    database_name: 'text',
    label: 'text?',
    started_at: 'date',
    finished_at: 'date',
    bytes: 'number',
    sha256: 'text',
    manifest: 'json',
    verified_at: 'date?',
    restore_tested_at: 'date?',
    restore_ms: 'number?',
    last_verify_error: 'text?',
    last_verify_error_of: 'text?',
    removed_at: 'date?',
    removed_reason: 'text?',
  },
  'tend.deliveries': {
    id: 'number=',
    task_id: 'number?',
    message_id: 'text',
    envelope_from: 'text',
    recipients: 'json',
    raw: 'bytes',
    state: 'text=',
    reply: 'text?',
    created_at: 'date=',
    committing_at: 'date?',
    finished_at: 'date?',
    server: 'text?',
    bounced_at: 'date?',
  },
  'tend.mail_servers': {
    name: 'text',
    settings_fingerprint: 'text',
    failing_since: 'date?',
    failures: 'number=',
    failure_class: 'text?',
    reason: 'text?',
    retry_at: 'date?',
    last_success_at: 'date?',
  },
  'tend.mail_rates': { bucket: 'text', next_at: 'date' },
  'tend.suppressions': {
    address: 'text',
    reason: 'text',
    detail: 'text?',
    created_at: 'date=',
    created_by: 'text=',
  },
  'tend.attachments': {
    id: 'number=',
    filename: 'text',
    content_type: 'text?',
    content: 'bytes',
    created_at: 'date=',
    expires_at: 'date=',
  },
  'tend.catalogs': {
    host: 'text',
    path: 'text',
    source_sha256: 'text',
    output_sha256: 'text?',
    result: 'text',
    message: 'text?',
    checked_at: 'date=',
  },
};

const roughTypes: Record<string, string> = {
  ...{ text: 'text', uuid: 'text', bool: 'boolean', timestamptz: 'date', jsonb: 'json', bytea: 'bytes' },
  ...{ _text: 'json', interval: 'json' },
  ...{ int2: 'number', int4: 'number', int8: 'number', oid: 'number' },
};

interface Column extends Record<string, unknown> {
  table: string;
  name: string;
  type: string;
  nullable: boolean;
  filled: boolean;
}

it('the row types are those of the migrated database', async () => {
  await using database = await createTestDatabase();
  const columns = await database.query<Column>(`
    select 'tend.' || table_name as table, column_name as name, udt_name as type, is_nullable = 'YES' as nullable,
           column_default is not null or is_identity = 'YES' as filled
      from information_schema.columns join information_schema.tables using (table_schema, table_name)
     where table_schema = 'tend' and table_type = 'BASE TABLE' and table_name <> 'migrations'`);
  const found: Record<string, Record<string, string>> = {};
  for (const { table, name, type, nullable, filled } of columns) {
    const described = `${roughTypes[type] ?? type}${nullable ? '?' : ''}${filled ? '=' : ''}`;
    found[table] = { ...found[table], [name]: described };
  }
  expect(found).toEqual(tables);
});

it('values arrive as the types say', async () => {
  await using database = await createTestDatabase();
  await using db = await database.openDatabase();
  await database.query(`select tend.enqueue('noop', '{"a": 1}')`);
  const task = await db.selectFrom('tend.tasks').selectAll().executeTakeFirstOrThrow();
  expect(task.id).toBe(1);
  expect(task.run_at).toBeInstanceOf(Date);
  expect(task.payload).toEqual({ a: 1 });
  expect(typeof (await db.selectFrom('tend.meta').selectAll().executeTakeFirstOrThrow()).database_oid).toBe(
    'number',
  );
});
