import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { TaskState } from '../tasks/states.ts';

/** Columns the database fills and nobody writes twice. */
type Filled<T> = ColumnType<T, T | undefined, T>;

export interface MetaTable {
  only_row: Generated<boolean>;
  schema_version: number;
  epoch: Generated<number>;
  database_uuid: Generated<string>;
  system_identifier: string | null;
  database_oid: number;
  database_name: string;
  created_at: Filled<Date>;
}

export interface KindsTable {
  kind: string;
  source: 'built-in' | 'config';
  max_attempts: number;
  on_lost: 'retry' | 'hold';
  mutex: string | null;
  updated_at: Filled<Date>;
  /** How many may run at once, over all hosts. */
  max_running: number | null;
}

export interface HostsTable {
  host: string;
  first_seen_at: Filled<Date>;
  last_tick_at: Filled<Date>;
  ticks: Generated<number>;
  last_busy_at: Date | null;
  last_outcome: string | null;
  last_worker: string;
  kinds_fingerprint: string | null;
  schedules_fingerprint: string | null;
}

export interface TasksTable {
  id: GeneratedAlways<number>;
  kind: string;
  queue: Generated<string>;
  payload: ColumnType<Record<string, unknown>, string | undefined, string>;
  priority: Generated<number>;
  run_at: Filled<Date>;
  state: Generated<TaskState>;
  reason: string | null;
  attempt: Generated<number>;
  max_attempts: Generated<number>;
  /** Whether who enqueued it named `max_attempts`; else those of the kind apply, also when it comes to be known later. */
  max_attempts_given: Generated<boolean>;
  on_lost: Generated<'retry' | 'hold'>;
  unique_key: string | null;
  mutex: string | null;
  host: string | null;
  lease_owner: string | null;
  lease_token: string | null;
  lease_until: Date | null;
  started_at: Date | null;
  cancel_requested_at: Date | null;
  last_error: string | null;
  created_at: Filled<Date>;
  created_by: Generated<string>;
  finished_at: Date | null;
  /** The schedule it is an occurrence of, or that a person triggered. */
  schedule: string | null;
  /** Which occurrence; null for one that was triggered. */
  slot_at: Date | null;
  /** Id of the first of the tasks that one call enqueued for every host. */
  fan_out: number | null;
  /** The task whose ending enqueued it. */
  enqueued_by: number | null;
  /** Which of the `max_running` places of its kind a running task takes. */
  limit_place: number | null;
  /** Which of the `[tasks] max_running` places of its host a running task takes. */
  host_place: number | null;
}

export interface SchedulesTable {
  name: string;
  source: 'config' | 'sql';
  /** Hosts whose tend.toml has it; empty for one made by SQL. */
  declared_by: Generated<string[]>;
  cron: string;
  timezone: Generated<string>;
  kind: string;
  payload: ColumnType<Record<string, unknown>, string | undefined, string>;
  queue: Generated<string>;
  priority: Generated<number>;
  /** `*`: every host. */
  host: string | null;
  catch_up: Generated<'none' | 'latest' | 'all'>;
  /** An interval: select it as milliseconds. */
  max_late: Generated<object>;
  overlap: Generated<'skip' | 'queue'>;
  enabled: Generated<boolean>;
  disabled_reason: string | null;
  /** -infinity: no tick has planned it yet; infinity: it cannot be planned, see `problem`. */
  next_slot: Filled<Date>;
  last_slot: Date | null;
  /** Occurrences before this never existed. */
  defined_at: Filled<Date>;
  problem: string | null;
  /** Set where a tend.toml defines a schedule of the same name. */
  conflict: string | null;
  created_at: Filled<Date>;
  created_by: Generated<string>;
}

/** What is not to be claimed until a person resumes it. */
export interface PausesTable {
  scope: 'kind' | 'queue';
  name: string;
  reason: string | null;
  paused_at: Filled<Date>;
  paused_by: Generated<string>;
}

/** What `check-app` remembers from one check of a host's application to the next. */
export interface AppHealthTable {
  host: string;
  /** Failed checks in a row. */
  failures: Generated<number>;
  failing_since: Date | null;
  last_error: string | null;
  /** Restarts since the application was healthy last. */
  restarts: Generated<number>;
  restarted_at: Date | null;
  /** Whether somebody was told that a restart did not help. */
  is_reported: Generated<boolean>;
  checked_at: Filled<Date>;
}

export type AttemptOutcome =
  | 'succeeded'
  | 'failed'
  | 'lost'
  | 'released'
  | 'postponed'
  | 'cancelled'
  | 'unknown';

export interface AttemptsTable {
  task_id: number;
  token: string;
  attempt: number;
  owner: string;
  started_at: Date;
  finished_at: Filled<Date>;
  outcome: AttemptOutcome;
  exit_code: number | null;
  error: string | null;
  output_tail: string | null;
  evidence: ColumnType<Record<string, unknown> | null, string | null, string | null>;
}

export interface BackupsTable {
  id: string;
  task_id: number | null;
  host: string;
  directory: string;
  database_name: string;
  label: string | null;
  started_at: Date;
  finished_at: Date;
  bytes: number;
  sha256: string;
  manifest: ColumnType<Record<string, unknown>, string, string>;
  /** When it was last found good: read to its end, or restored. */
  verified_at: Date | null;
  /** When a test restore of it last passed, and how long that took. */
  restore_tested_at: Date | null;
  restore_ms: number | null;
  /** Why it is not good; null where nothing is known against it. */
  last_verify_error: string | null;
  /** What has found the error: reading the set, or restoring it. */
  last_verify_error_of: 'read' | 'restore' | null;
  removed_at: Date | null;
  removed_reason: string | null;
}

/** One message, composed once: every attempt sends these bytes. */
export interface DeliveriesTable {
  id: GeneratedAlways<number>;
  /** Null where the task has got another payload since: a record of what may have reached somebody. */
  task_id: number | null;
  message_id: string;
  envelope_from: string;
  /** `[{ address, status: 'waiting' | 'accepted' | 'refused' | 'deferred', reply? }]` */
  recipients: ColumnType<DeliveryRecipient[], string, string>;
  raw: Buffer;
  state: Generated<'composed' | 'committing' | 'sent' | 'partly-sent' | 'refused' | 'unknown'>;
  reply: string | null;
  created_at: Filled<Date>;
  committing_at: Date | null;
  finished_at: Date | null;
  /** Name of the server that took it last, as in tend.toml. */
  server: string | null;
  /** When a report came that somebody did not get it after all. */
  bounced_at: Date | null;
}

export interface DeliveryRecipient {
  address: string;
  /**
   * `suppressed`: on the suppression list, so never offered to a server. `bounced`: accepted by our server, and reported
   * as not delivered afterwards.
   */
  status: 'waiting' | 'accepted' | 'refused' | 'deferred' | 'suppressed' | 'bounced';
  reply?: string;
}

/** A mail server as the ticks found it last: `failures` in a row, and when the next message may be tried. */
export interface MailServersTable {
  name: string;
  /** Of its settings: after a change it is tried at once. */
  settings_fingerprint: string;
  failing_since: Date | null;
  failures: Generated<number>;
  failure_class: 'server' | 'configuration' | null;
  reason: string | null;
  retry_at: Date | null;
  last_success_at: Date | null;
}

/** When the next message of a bucket (a server, or a server and a recipient domain) may leave. */
export interface MailRatesTable {
  bucket: string;
  next_at: Date;
}

/** Addresses that get no mail, in lower case. */
export interface SuppressionsTable {
  address: string;
  reason: 'bounce' | 'complaint' | 'unsubscribe' | 'manual';
  detail: string | null;
  created_at: Filled<Date>;
  created_by: Generated<string>;
}

/** Bytes that any number of messages can attach by id. */
export interface AttachmentsTable {
  id: GeneratedAlways<number>;
  filename: string;
  content_type: string | null;
  content: Buffer;
  created_at: Filled<Date>;
  expires_at: Filled<Date>;
}

/** The last result of each message catalog, per host and absolute path. */
export interface CatalogsTable {
  host: string;
  path: string;
  source_sha256: string;
  output_sha256: string | null;
  result: 'installed' | 'failed';
  message: string | null;
  checked_at: Filled<Date>;
}

/** The server's sessions in one minute. */
export interface ConnectionSamplesTable {
  /** The minute. */
  sampled_at: Date;
  total: number;
  active: number;
  idle: number;
  idle_in_transaction: number;
  /** The ten with the most sessions: `{ "web": 12, "user cms": 3 }`, the latter for sessions without a name. */
  by_application: ColumnType<Record<string, number>, string | undefined, string>;
  max_connections: number;
}

/**
 * What is broken: the tasks of one kind, schedule and host (empty texts for none) whose last one failed or is held.
 * `recovered` when one succeeded since, `over` when that was told; see `src/tasks/note-outcomes.ts`.
 */
export interface AlertsTable {
  kind: string;
  schedule: Generated<string>;
  /** The host its tasks are pinned to. */
  host: Generated<string>;
  phase: Generated<'broken' | 'recovered' | 'over'>;
  broken_since: Filled<Date>;
  last_failed_at: Filled<Date>;
  /** Since then. */
  failures: Generated<number>;
  /** The last that failed. */
  last_task_id: number;
  recovered_at: Date | null;
  /** It broke within a day of its recovery: the next one is told when it has held for a day. */
  is_relapse: Generated<boolean>;
  /** When a tick must look at it next: to tell of it, to remind, or to forget it. */
  due_at: Filled<Date>;
  last_mailed_at: Date | null;
  /** The message that told of it last. */
  mail_task_id: number | null;
}

/** Row types of schema `tend`, checked against the migrated database by a drift test. */
export interface Database {
  'tend.meta': MetaTable;
  'tend.kinds': KindsTable;
  'tend.hosts': HostsTable;
  'tend.tasks': TasksTable;
  'tend.attempts': AttemptsTable;
  'tend.backups': BackupsTable;
  'tend.deliveries': DeliveriesTable;
  'tend.mail_servers': MailServersTable;
  'tend.mail_rates': MailRatesTable;
  'tend.suppressions': SuppressionsTable;
  'tend.attachments': AttachmentsTable;
  'tend.catalogs': CatalogsTable;
  'tend.schedules': SchedulesTable;
  'tend.pauses': PausesTable;
  'tend.app_health': AppHealthTable;
  'tend.connection_samples': ConnectionSamplesTable;
  'tend.alerts': AlertsTable;
}
