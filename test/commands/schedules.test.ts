import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createQueueSite, json, type QueueSite } from '../e2e/queue-site.ts';

const toml = `[tasks]
host = "web1"
[schedules.nightly]
cron = "30 2 * * *"
timezone = "Europe/Warsaw"
kind = "noop"
payload = { note = "n" }
max_late = "6h"
[schedules.minutely]
cron = "* * * * *"
kind = "noop"
`;
let site: QueueSite;

beforeAll(async () => {
  site = await createQueueSite(toml);
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());
beforeEach(async () => {
  await site.configure(toml);
  await site.database.query('truncate tend.tasks, tend.deliveries, tend.schedules, tend.hosts');
});

async function rewind(name: string, minutes: number): Promise<void> {
  await site.database.query(
    `update tend.schedules set next_slot = date_trunc('minute', now()) - $2 * interval '1 min' where name = $1`,
    [name, minutes],
  );
}

describe('schedules', () => {
  it('lists those of tend.toml before any tick has read them, without writing anything', async () => {
    const { stdout } = await site.tend(['schedules']);
    expect(stdout.split('\n').map((line) => line.split('\t').slice(0, 4).join(' '))).toEqual([
      'NAME CRON TIME ZONE KIND',
      'minutely * * * * * UTC noop',
      'nightly 30 2 * * * Europe/Warsaw noop',
      '',
    ]);
    expect(stdout).toContain('from the next tick');
    expect(await site.database.query('select from tend.schedules')).toEqual([]);
  });

  it('lists those made by SQL beside them, each with its next occurrence by its own clock', async () => {
    await site.database.query(
      `select tend.schedule('admin', '0 12 * * *', 'noop', timezone => 'Asia/Tokyo')`,
    );
    await site.tend(['run-due-tasks']);
    const { schedules } = json(await site.command(['schedules', '--json']));
    expect(schedules).toMatchObject([
      { name: 'admin', source: 'sql', declaredBy: [], nextSlot: expect.stringMatching(/T03:00:00.000Z$/) },
      { name: 'minutely', source: 'config', declaredBy: ['web1'], isPending: false, isEnabled: true },
      { name: 'nightly', kind: 'noop', catchUp: 'latest', maxLateMs: 21_600_000, overlap: 'skip' },
    ]);
    const { stdout } = await site.command(['schedules']);
    expect(stdout).toMatch(/^admin\t.*\t\d{4}-\d\d-\d\d 12:00 \+09:00\t/m);
  });

  it('says so when there are none', async () => {
    await site.configure('');
    expect((await site.command(['schedules', '-v'])).stdout).toBe(
      'There are no schedules: add [schedules.NAME] to tend.toml.\n',
    );
    expect(json(await site.command(['schedules', '--json']))).toEqual({ schedules: [] });
  });
});

describe('schedules show', () => {
  it('shows the next occurrences by the clock of the schedule and in UTC', async () => {
    const { stdout } = await site.tend(['schedules', 'show', 'nightly', '--next', '2']);
    expect(stdout).toContain('Schedule nightly · 30 2 * * * · Europe/Warsaw');
    expect(stdout).toContain('{"note":"n"}');
    expect(
      stdout.match(/^ {2}\d{4}-\d\d-\d\d 0[23]:\d0 \+0[12]:00 {2}\d{4}-\d\d-\d\d 0[01]:\d0:00Z/gm),
    ).toHaveLength(2);
    const { schedule } = json(await site.tend(['schedules', 'show', 'nightly', '--next', '400', '--json']));
    const next: { local: string; dst: string | null }[] = Reflect.get(Object(schedule), 'next');
    expect(next).toHaveLength(400);
    // A year holds both changes of the clocks: 02:30 is skipped in spring, and comes twice in autumn.
    expect(next.filter(({ dst }) => dst !== null).map(({ local }) => local.slice(11))).toEqual(
      expect.arrayContaining(['03:00', '02:30']),
    );
  });

  it('shows the newest occurrences, with the reason of what was left out', async () => {
    await site.tend(['run-due-tasks']);
    await rewind('minutely', 2);
    const tick = await site.tend(['run-due-tasks', '--json']);
    expect(json(tick)).toMatchObject({
      succeeded: 1,
      scheduled: { enqueued: 1, superseded: expect.any(Number) },
    });
    const { stdout } = await site.command(['schedules', 'show', 'minutely']);
    expect(stdout).toMatch(/task \d+ succeeded/);
    expect(stdout).toMatch(/task \d+ superseded: .* late, and a later one is due as well/);
  });

  it('of one that is not there exits 66 and names the one that may be meant', async () => {
    const result = await site.command(['schedules', 'show', 'nightli', '--json']);
    expect(result.exitCode).toBe(66);
    expect(json(result)).toMatchObject({
      error: { code: 'SCHEDULE_NOT_FOUND', message: expect.stringContaining('Did you mean "nightly"?') },
    });
  });
});

describe('schedules disable, enable, trigger', () => {
  it('work on one that no tick has read yet', async () => {
    expect((await site.tend(['schedules', 'disable', 'nightly', '--reason', 'disks'])).exitCode).toBe(0);
    const { stdout } = await site.tend(['schedules']);
    expect(stdout).toMatch(/^nightly\t.*\tdisabled\tdisabled by \S+ on web1: disks$/m);
  });

  it('a disabled one stays so over ticks, and comes back by enable', async () => {
    await site.tend(['run-due-tasks']);
    await site.command(['schedules', 'disable', 'minutely']);
    await rewind('minutely', 0);
    expect(json(await site.tend(['run-due-tasks', '--json']))).toMatchObject({ isIdle: true });
    expect(json(await site.command(['schedules', 'enable', 'minutely', '--json']))).toEqual({
      ...{ name: 'minutely', isEnabled: true, isChanged: true },
    });
    expect(json(await site.command(['schedules', 'enable', 'minutely', '--json']))).toMatchObject({
      isChanged: false,
    });
  });

  it('trigger prints the id of the task that the next tick runs', async () => {
    const { stdout } = await site.tend(['schedules', 'trigger', 'nightly']);
    await site.tend(['run-due-tasks']);
    expect(await site.task(Number(stdout))).toMatchObject({
      state: 'succeeded',
      schedule: 'nightly',
      slot_at: null,
    });
  });
});

describe('run-due-tasks', () => {
  it('enqueues and runs in one tick what is due, silently', async () => {
    await site.tend(['run-due-tasks']);
    await rewind('minutely', 0);
    expect(await site.tend(['run-due-tasks'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    const rows = await site.database.query(
      `select state from tend.tasks where schedule = 'minutely' and state <> 'missed'`,
    );
    expect(rows).toEqual([{ state: 'succeeded' }]);
  });

  it('tells of missed occurrences on stderr', async () => {
    await site.configure(toml.replace('max_late = "6h"', 'max_late = "1m"'));
    await site.tend(['run-due-tasks']);
    await rewind('nightly', 3 * 1440);
    const { exitCode, stderr } = await site.tend(['run-due-tasks']);
    expect(exitCode).toBe(0);
    expect(stderr).toBe('warning: Schedule "nightly" has missed occurrences: tend schedules show nightly\n');
  });

  it('stops a schedule that was removed from tend.toml', async () => {
    await site.tend(['run-due-tasks']);
    await site.configure('[tasks]\nhost = "web1"\n');
    await site.tend(['run-due-tasks']);
    expect(json(await site.command(['schedules', '--json']))).toEqual({ schedules: [] });
  });

  it('warns of a schedule that the application made under the same name', async () => {
    await site.database.query(`select tend.schedule('nightly', '0 4 * * *', 'noop')`);
    const { stderr } = await site.tend(['run-due-tasks']);
    expect(stderr).toContain('Schedule "nightly" of tend.toml is not used');
  });

  it('--dry-run says which occurrences it would enqueue or leave out, and writes nothing', async () => {
    await site.tend(['run-due-tasks']);
    await rewind('minutely', 1);
    const { stdout } = await site.tend(['run-due-tasks', '--dry-run']);
    expect(stdout).toMatch(/^Would leave out the occurrence of .*Z of schedule "minutely" \(superseded: /m);
    expect(stdout).toMatch(/^Would enqueue the occurrence of .*Z of schedule "minutely"\.$/m);
    expect(await site.database.query('select from tend.tasks')).toEqual([]);
  });

  it('--task runs that task and plans nothing', async () => {
    await site.tend(['run-due-tasks']);
    await rewind('minutely', 0);
    const id = await site.enqueue('noop');
    await site.tend(['run-due-tasks', '--task', String(id)]);
    expect(await site.database.query('select count(*)::int as n from tend.tasks')).toEqual([{ n: 1 }]);
  });
});

describe('tend.toml', () => {
  it.each([
    ['cron = "61 * * * *"', 'schedules.x.cron', 'minute'],
    ['cron = "0 0 31 2 *"', 'schedules.x.cron', 'never comes'],
    ['cron = "* * * * *"\ntimezone = "Europe/Warszawa"', 'schedules.x.timezone', 'Europe/Warsaw'],
    ['cron = "* * * * *"\noverlap = "both"', 'schedules.x.overlap', '"skip", "queue"'],
    ['cron = "* * * * *"\nmax_late = "2 days"', 'schedules.x.max_late', 'duration'],
    ['cron = "* * * * *"\nhost = "a b"', 'schedules.x.host', 'host name'],
    ['kind = "y"', 'schedules.x.cron', 'missing'],
  ])('with %j is refused with file, line, key and reason: exit 78', async (line, key, reason) => {
    const kind = line.includes('kind =') ? '' : '\nkind = "noop"';
    await site.configure(`[schedules.x]\n${line}${kind}\n`);
    const { exitCode, stderr } = await site.tend(['run-due-tasks']);
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(new RegExp(String.raw`tend\.toml:\d+: ${key.replaceAll('.', String.raw`\.`)}: `));
    expect(stderr).toContain(reason);
  });
});
