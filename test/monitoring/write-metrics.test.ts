import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SessionPool } from '../../src/database/session-pool.ts';
import { writeMetrics } from '../../src/monitoring/write-metrics.ts';
import { createTestDatabase } from '../support/database.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('the metrics file', () => {
  it('has HELP, TYPE and a value of every metric, readable by all, at most once a minute', async () => {
    await using database = await createTestDatabase();
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'tend.prom');
    const sessions = new SessionPool({
      connection: database.connection,
      applicationName: 'test',
      statementTimeoutMs: 10_000,
    });
    try {
      await database.query(`select tend.enqueue('backup')`);
      await database.query(`insert into tend.alerts (kind, last_task_id) values ('backup', 1)`);
      await writeMetrics({ path, sessions, now: new Date(), exitCode: 3 });
      const text = await readFile(path, 'utf8');
      expect(text).toContain('# TYPE tend_tasks_due gauge\ntend_tasks_due 1\n');
      expect(text).toContain('\ntend_last_tick_exit_code 3\n');
      expect(text).toContain('\ntend_mail_unknown 0\n');
      expect(text).toContain('\ntend_broken_kinds 1\n');
      expect(text).not.toContain('null');
      expect((await stat(path)).mode & 0o777).toBe(0o644);
      expect(await readdir(directory.path)).toEqual(['tend.prom']);
      await writeMetrics({ path, sessions, now: new Date(), exitCode: 0 });
      expect(await readFile(path, 'utf8')).toBe(text);
      await writeMetrics({ path, sessions, now: new Date(Date.now() + 60_000), exitCode: 0 });
      expect(await readFile(path, 'utf8')).toContain('\ntend_last_tick_exit_code 0\n');
    } finally {
      await sessions.end();
    }
  });

  it('keeps the figures of the queue with their time while the queue cannot be asked', async () => {
    await using database = await createTestDatabase();
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'tend.prom');
    const sessions = new SessionPool({
      ...{ connection: database.connection, applicationName: 'test', statementTimeoutMs: 10_000 },
    });
    try {
      await writeMetrics({ path, sessions: undefined, now: new Date(1_000_000), exitCode: 69 });
      expect(await readFile(path, 'utf8')).toMatch(
        /_timestamp_seconds 1000\n.*\n.*\ntend_last_tick_exit_code 69\n$/,
      );
      await database.query(`select tend.enqueue('backup')`);
      await writeMetrics({ path, sessions, now: new Date(2_000_000), exitCode: 3 });
      await writeMetrics({ path, sessions: undefined, now: new Date(3_000_000), exitCode: 69 });
      const text = await readFile(path, 'utf8');
      const values = text.split('\n').filter((line) => line.startsWith('tend_'));
      expect(values.slice(0, 4)).toEqual([
        ...['tend_last_tick_timestamp_seconds 3000', 'tend_last_tick_exit_code 69'],
        ...['tend_queue_timestamp_seconds 2000', 'tend_tasks_due 1'],
      ]);
      expect(text.match(/# TYPE/g)).toHaveLength(values.length);
    } finally {
      await sessions.end();
    }
  });
});
