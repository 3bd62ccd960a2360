import { describe, expect, it } from 'vitest';
import { withoutConfig } from '../../src/config/load-config.ts';
import type { StatusThresholds } from '../../src/config/monitor-section.ts';
import { judgeStatus } from '../../src/report/judge-status.ts';
import { exampleStatus } from './support/example-status.ts';

const { config } = withoutConfig('/');
const judge = (changes: Parameters<typeof exampleStatus>[0], limits: Partial<StatusThresholds> = {}) => {
  const thresholds = { ...config.monitor.thresholds, ...limits };
  return judgeStatus(exampleStatus(changes), { ...config, monitor: { ...config.monitor, thresholds } })
    .problems;
};
const hour = 3_600_000;

it('leaves what is well as it is', () => {
  expect(judgeStatus(exampleStatus(), config)).toMatchObject({ isOk: true, problems: [] });
});

it('counts one as one', () => {
  const mail = { waiting: 0, deferred: 1, held: 0, unknown: 1, failingServers: [] };
  expect(judge({ mail }, { mail_deferred: 0 })).toEqual([
    '1 message may or may not have been sent: a person must decide',
    '1 message is deferred',
  ]);
});

it('names every host that has not ticked for too long, and not the latest tick of all', () => {
  const [web1] = exampleStatus().hosts;
  if (web1 === undefined) throw new Error('no host');
  const hosts = [web1, { ...web1, host: 'web2', lastTickAgeMs: hour }];
  expect(judge({ hosts, problems: ['no tick for 01:00:00'] }, { tick_age: hour / 2 })).toEqual([
    'no tick on host "web2" for 1 h',
  ]);
});

describe('a threshold that is set replaces what the database says of the same', () => {
  it.each([
    ['held', '3 held: a person must decide', { held: 3 }],
    ['failed', '3 failed in the last day', { failedLastDay: 3 }],
  ] as const)('%s', (key, sentence, counts) => {
    const tasks = { ...exampleStatus().tasks, ...counts };
    expect(judge({ tasks, problems: [sentence] })).toEqual([sentence]);
    expect(judge({ tasks, problems: [sentence] }, { [key]: 3 })).toEqual([]);
    expect(judge({ tasks, problems: [sentence] }, { [key]: 2 })).toEqual([sentence]);
  });

  it('due_age', () => {
    const tasks = { ...exampleStatus().tasks, oldestDueAgeMs: hour };
    const problems = ['a task is due since 2026-01-01'];
    expect(judge({ tasks, problems }, { due_age: hour })).toEqual([]);
    expect(judge({ tasks, problems }, { due_age: hour - 1 })).toEqual(['a task is due for 1 h']);
  });
});

it('names a backup that is too old, one that was verified too long ago, and that there is none', () => {
  const mark = { id: 'b', finishedAt: new Date(0), ageMs: 25 * hour };
  const backups = { ...exampleStatus().backups, lastGood: mark, lastVerified: null };
  const limits = { backup_age: 24 * hour, verify_age: 24 * hour };
  expect(judge({ backups }, limits)).toEqual([
    'the newest good backup is 1 d 1 h old',
    'no backup was ever verified',
  ]);
  expect(judge({ backups: { ...backups, lastGood: null, lastVerified: mark } }, limits)).toEqual([
    'there is no good backup',
    'the newest verified backup is 1 d 1 h old',
  ]);
});

it('without any setting names unknown mail, failing mail servers, failed catalogs and a server that fills up', () => {
  const server = {
    ...{ name: 'relay', failingSince: new Date(0), failingMs: hour, failures: 4, retryAt: null },
    ...{ failureClass: 'server' as const, reason: 'connection refused' },
  };
  const mail = { waiting: 0, deferred: 0, held: 1, unknown: 1, failingServers: [server] };
  const failed = [{ host: 'web1', path: '/a.po', message: 'bad', checkedAt: new Date(0) }];
  const sessions = { ofTend: 1, total: 81, maxConnections: 100 };
  expect(judge({ mail, translations: { catalogs: 1, failed }, sessions })).toEqual([
    '1 message may or may not have been sent: a person must decide',
    'mail server "relay" fails for 1 h: connection refused',
    '1 message catalog is not well',
    '81 of 100 connections are taken',
  ]);
});
