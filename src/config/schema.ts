import * as v from 'valibot';
import { checkTimezone } from '../schedules/check-timezone.ts';
import { parseCron } from '../schedules/parse-cron.ts';
import { backupSettings } from './backup-settings.ts';
import { builtInKindNames } from './built-in-kinds.ts';
import { httpHeaders, httpPlace, ipNetwork } from './http-settings.ts';
import { mailSection } from './mail-section.ts';
import { monitorSection } from './monitor-section.ts';
import { databaseUrl, mailAddress } from './setting-texts.ts';
import { argv, duration, integer, oneOf, percent, section, text, textList } from './setting-types.ts';

const database = section({
  url: v.optional(databaseUrl),
  from: v.optional(text),
});

/** What `check-app` does about an application that stays unhealthy. */
const heal = section({
  /** Failed checks in a row before a restart. */
  after: v.optional(integer(1, 1000), 3),
  /** Restarts in a row that did not help, before a person is asked. */
  max_restarts: v.optional(integer(0, 1000), 2),
  mail_to: v.optional(v.array(mailAddress, 'a list of mail addresses was expected'), []),
});

const app = section({
  heal: v.optional(heal),
  restart: v.optional(argv),
  restart_timeout: v.optional(duration, '60s'),
  check: v.optional(
    section({
      url: v.optional(text),
      command: v.optional(argv),
      status: v.optional(integer(100, 599), 200),
      contains: v.optional(text),
      within: v.optional(duration, '60s'),
      steady: v.optional(integer(1, 100), 1),
    }),
  ),
});

const translations = section({
  paths: v.optional(textList, ['.']),
  on_bad_message: v.optional(oneOf('fail', 'drop'), 'fail'),
  /** How much of its live file's messages a catalog may lose. */
  max_drop: v.optional(percent),
});

const http = section({
  allow: v.optional(v.array(httpPlace, 'a list of hosts was expected'), []),
  allow_private: v.optional(v.array(ipNetwork, 'a list of addresses and networks was expected'), []),
  timeout: v.optional(v.pipe(duration, v.maxValue(600_000, 'at most "10m", the limit of the kind')), '60s'),
  tls_ca_file: v.optional(text),
  headers: v.optional(httpHeaders, {}),
});

const modulePath = v.pipe(text, v.regex(/\.[cm]?[jt]s$/, 'the path of a .js, .mjs or .ts file was expected'));

const taskKindKeys = section({
  command: v.optional(argv),
  module: v.optional(modulePath),
  directory: v.optional(text),
  env: v.optional(textList, []),
  timeout: v.optional(duration, '1h'),
  silence: v.optional(duration),
  max_attempts: v.optional(integer(1, 100), 5),
  on_lost: v.optional(oneOf('retry', 'hold'), 'retry'),
  mutex: v.optional(v.pipe(text, v.maxBytes(200, 'at most 200 bytes'))),
  retry_base: v.optional(duration, '15s'),
  retry_cap: v.optional(duration, '1h'),
});

export const commandOrModule = v.check(
  ({ command, module }: v.InferOutput<typeof taskKindKeys>) =>
    (command === undefined) !== (module === undefined),
  'one of "command" and "module" was expected, and only one',
);

const taskKind = v.pipe(taskKindKeys, commandOrModule);

const anyKind = v.pipe(
  v.string('a kind of task was expected'),
  v.regex(/^[a-z0-9][a-z0-9._:-]{0,62}$/, 'a kind is named with a-z, 0-9, ".", "_", ":", "-", at most 63'),
);

const kindName = v.pipe(
  anyKind,
  v.check(
    (name) => !builtInKindNames.includes(name),
    'this is the name of a kind that tend brings along: choose another',
  ),
);

const scheduleName = v.pipe(
  v.string(),
  v.regex(
    /^[a-z0-9][a-z0-9._:-]{0,62}$/,
    'a schedule is named with a-z, 0-9, ".", "_", ":", "-", at most 63',
  ),
);

const cron = v.pipe(
  v.string('a cron expression was expected, such as "30 2 * * *"'),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const parsed = parseCron(dataset.value);
    if ('problem' in parsed) addIssue({ message: parsed.problem });
  }),
);

const timezone = v.pipe(
  text,
  v.rawCheck(({ dataset, addIssue }) => {
    const problem = dataset.typed ? checkTimezone(dataset.value) : undefined;
    if (problem !== undefined) addIssue({ message: problem });
  }),
);

const tasks = section({
  concurrency: v.optional(integer(1, 200), 4),
  deadline: v.optional(duration, '50s'),
  lease: v.optional(
    v.pipe(
      duration,
      v.minValue(2000, 'a lease is at least "2s"'),
      v.maxValue(3_600_000, 'a lease is at most "1h"'),
    ),
    '60s',
  ),
  grace: v.optional(duration, '25s'),
  host: v.optional(v.pipe(text, v.regex(/^[^\s:*]{1,200}$/, 'a host name without spaces, ":" or "*"'))),
  keep_succeeded: v.optional(duration, '7d'),
  keep_failed: v.optional(duration, '90d'),
  kinds: v.optional(v.record(kindName, taskKind), {}),
  /** How many of a kind may run at once, over all hosts; any kind, the built-in ones too. */
  limits: v.optional(v.record(anyKind, integer(1, 10_000)), {}),
  /** How many tasks may run at once on this host, over all its ticks. */
  max_running: v.optional(integer(1, 10_000)),
});

const schedule = section({
  cron,
  timezone: v.optional(timezone, 'UTC'),
  kind: anyKind,
  payload: v.optional(v.record(v.string(), v.unknown()), {}),
  catch_up: v.optional(oneOf('none', 'latest', 'all'), 'latest'),
  max_late: v.optional(v.pipe(duration, v.maxValue(366 * 86_400_000, 'at most "366d"')), '1d'),
  overlap: v.optional(oneOf('skip', 'queue'), 'skip'),
  queue: v.optional(v.pipe(text, v.maxBytes(200, 'at most 200 bytes')), 'default'),
  priority: v.optional(integer(-32_768, 32_767), 0),
  /** Only this host; "*" is every host. */
  host: v.optional(
    v.pipe(
      text,
      v.regex(/^([^\s:*]{1,200}|\*)$/, 'a host name without spaces, ":" or "*", or "*" for every host'),
    ),
  ),
});

/** The shape of `tend.toml`: unknown keys are errors, every default stands here and nowhere else. */
export const configSchema = section({
  database: v.optional(database, {}),
  app: v.optional(app, {}),
  backup: v.optional(backupSettings, {}),
  translations: v.optional(translations, {}),
  mail: v.optional(mailSection, {}),
  http: v.optional(http, {}),
  tasks: v.optional(tasks, {}),
  schedules: v.optional(v.record(scheduleName, schedule), {}),
  monitor: v.optional(monitorSection, {}),
});

/**
 * The configuration after validation: keys as in `tend.toml`, durations in milliseconds, defaults filled in.
 * Values such as `env:DATABASE_URL` are still references; `resolveReference` reads them where they are used, so that
 * a command that needs no database does not need its password either.
 */
export type Config = v.InferOutput<typeof configSchema>;
export type TaskKindConfig = Config['tasks']['kinds'][string];

/** Paths (dotted, `*` for any name) whose values are secret or may hold one: shown only redacted. */
export const secretPaths = [
  ...['database.url', 'mail.url', 'mail.servers.*.url'],
  ...['monitor.ping_url', 'monitor.pings.*'],
] as const;
