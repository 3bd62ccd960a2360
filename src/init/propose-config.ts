import type { FoundDatabase } from './find-database.ts';
import type { FoundHealthCheck } from './find-health-check.ts';
import type { FoundService } from './find-service.ts';
import type { Finding } from './finding.ts';

/** All that was found about an application. */
export interface FoundApplication {
  /** Name of its folder. */
  name: string;
  /** `Django`, `Rails`; undefined where nothing tells. */
  framework: string | undefined;
  database: FoundDatabase;
  services: FoundService[];
  health: FoundHealthCheck;
  catalogs: Finding<string[]> | undefined;
}

/** The text of a tend.toml: each setting under a comment that says where it comes from. What was not found is a comment. */
export function proposeConfig(found: FoundApplication): string {
  const sections = [databaseLines(found), appLines(found), backupLines(found)];
  if (found.catalogs !== undefined) sections.push(translationLines(found.catalogs));
  const head = [
    `# tend.toml of ${oneLine(found.name)}, proposed by "tend init". Relative paths are relative to this file.`,
    '# All settings: tend config schema. After a change: tend config validate.',
  ];
  return [head, ...sections].map((lines) => lines.map((line) => `${line}\n`).join('')).join('\n');
}

function databaseLines({ database: { database, rejected }, framework }: FoundApplication): string[] {
  const lines = ['[database]'];
  if (database !== undefined) {
    lines.push(comment(database.why));
    for (const [key, value] of Object.entries(database.value)) lines.push(`${key} = ${toml(value)}`);
  } else {
    lines.push(comment(nothingFound(framework)), '# from = ".env#DATABASE_URL"');
  }
  for (const { source, why } of rejected) lines.push(comment(`Not used: ${source}: ${why}`));
  return lines;
}

function nothingFound(framework: string | undefined): string {
  const general = 'No settings of a PostgreSQL database were found.';
  if (framework !== 'Django') return `${general} One of the two is needed, "from" or "url".`;
  return `${general} settings.py is Python, which is not run: let it read DATABASE_URL from .env, and so does tend.`;
}

function appLines({ services, health }: FoundApplication): string[] {
  const [service, ...others] = services;
  const lines = ['[app]'];
  if (service === undefined) {
    lines.push(
      '# How the application is restarted after new translations or a restore: no systemd unit or supervisor program',
      '# names this folder.',
      '# restart = ["systemctl", "restart", "NAME"]',
    );
  } else {
    lines.push(comment(service.restart.why), `restart = ${toml(service.restart.value)}`);
  }
  for (const { restart, file } of others) {
    lines.push(comment(`Not used: ${restart.value.join(' ')} (${file}), of which only one can be here.`));
  }
  const { check, port } = health;
  if (check !== undefined) {
    lines.push(comment(check.why), `check = { url = ${toml(check.value)}, within = "60s" }`);
    return lines;
  }
  lines.push(
    comment(
      `Whether the application is well, after a restart${port === undefined ? '' : `. ${port.why} No usual health page answered there`}.`,
    ),
    `# check = { url = "http://127.0.0.1:${port?.value ?? 8000}/health", within = "60s" }`,
  );
  return lines;
}

function backupLines({ name }: FoundApplication): string[] {
  return [
    '[backup]',
    '# Where backups go, and the files that belong to the data (uploads): both are for you to say. Then a schedule makes one.',
    `# directory = ${toml(`/var/backups/${name}`)}`,
    '# files = ["media"]',
    '# keep = { last = 3, daily = 7, weekly = 5, monthly = 12 }',
    '',
    '# [schedules.nightly-backup]',
    '# cron = "30 2 * * *"',
    '# timezone = "UTC"',
    '# kind = "backup"',
  ];
}

function translationLines({ value, why }: Finding<string[]>): string[] {
  return ['[translations]', comment(why), `paths = ${toml(value)}`];
}

function comment(text: string): string {
  return `# ${oneLine(text)}`;
}

/** Names of files may hold anything; a line break would end the comment. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

/** TOML's basic strings have JSON's escapes. */
function toml(value: string | readonly string[]): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
}
