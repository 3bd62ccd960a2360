import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createQueueSite, json, type QueueSite } from '../e2e/queue-site.ts';
import { createApplicationRole } from '../sql-api/support.ts';
import { placeRepairedClients } from '../support/repaired-clients.ts';
import { runCliOnTerminal, startCliOnTerminal } from '../support/run-cli.ts';

let site: QueueSite;
const query = async (sql: string) => await site.database.query(sql);

beforeAll(async () => {
  site = await createQueueSite();
  await placeRepairedClients(site.database, site.path);
  toml += `[backup]\ntools_directory = ${JSON.stringify(site.path)}\n`;
  await site.configure(toml);
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());

let toml = '[tasks]\nhost = "web1"\n';

describe('doctor', () => {
  beforeEach(async () => {
    await query('truncate tend.tasks, tend.attempts, tend.hosts, tend.schedules cascade');
    await query(`insert into tend.hosts (host, last_worker) values ('web1', 'web1:1:::')`);
  });

  it('exits 0 where everything is well', async () => {
    const result = await site.tend(['doctor', '--json']);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(json(result)).toMatchObject({ isOk: true, skipped: [] });
  });

  it('exits 4 where something is not, the worst first, one line a check when piped', async () => {
    await site.enqueue('make-coffee');
    const { exitCode, stdout, stderr } = await site.command(['doctor']);
    const rows = stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t'));
    expect({ exitCode, stderr }).toEqual({ exitCode: 4, stderr: '' });
    expect(rows[0]).toEqual(['STATUS', 'CHECK', 'TEXT', 'FIX']);
    expect(rows[1]?.slice(0, 2)).toEqual(['fail', 'unknown-kinds']);
    expect(rows.slice(2).every((row) => row[0] === 'ok' && row.length === 4)).toBe(true);
  });

  it('has stable keys under --json', async () => {
    await site.enqueue('make-coffee');
    const { checks, ...others } = json(await site.command(['doctor', '--json']));
    expect(others).toEqual({ isOk: false, skipped: [] });
    expect(checks).toContainEqual({
      ...{
        name: 'unknown-kinds',
        status: 'fail',
        fix: expect.stringContaining('tend tasks --kind make-coffee'),
      },
      text: 'due of a kind that no host knows: 1 (1 make-coffee)',
    });
    expect(checks).toContainEqual({ name: 'held-tasks', status: 'ok', text: 'none is held', fix: null });
  });

  it('shows each fix below its problem on a terminal', async () => {
    await site.enqueue('make-coffee');
    const { exitCode, stdout } = await runCliOnTerminal(['doctor', '--no-color'], { cwd: site.path });
    expect(exitCode).toBe(4);
    expect(stdout).toMatch(
      /^fail {2}unknown-kinds +due of a kind .*\r\n +fix: Add \[tasks\.kinds\.make-coffee\]/,
    );
  });

  it('tells what is wrong with tend.toml instead of failing with it, all places at once', async () => {
    await site.configure('[tasks]\nhost = 3\nbogus = 1\n');
    try {
      const result = await site.command(['doctor', '--json']);
      expect(result.exitCode).toBe(4);
      expect(json(result)).toMatchObject({
        checks: [
          { name: 'configuration', text: expect.stringMatching(/toml:4: tasks\.host.*toml:5: tasks\.bogus/) },
        ],
        skipped: expect.arrayContaining(['database', 'ticks', 'pg-dump']),
      });
      expect((await site.command(['doctor', '--adopt'])).exitCode).toBe(78);
    } finally {
      await site.configure(toml);
    }
  });

  it('finds a database that cannot be reached, and shows no password', async () => {
    const env = { TEND_DATABASE_URL: 'postgresql://cms:canary-4711@127.0.0.1:1/cms' };
    const { exitCode, stdout, stderr } = await site.command(['doctor', '-vv'], env);
    expect(exitCode).toBe(4);
    expect(stdout).toMatch(/^fail\tdatabase\tDatabase "cms" at 127\.0\.0\.1:1 cannot be reached/m);
    expect(stdout + stderr).not.toContain('canary-4711');
  });

  it.each([
    [['--unfinished', 'hold'], '--adopt'],
    [['--dry-run'], '--adopt'],
    [['--adopt', '--unfinished', 'resend'], '--unfinished=resend'],
  ])('refuses %j with exit code 64', async (args, named) => {
    const { exitCode, stderr } = await site.command(['doctor', ...args]);
    expect(exitCode).toBe(64);
    expect(stderr).toContain(named);
  });
});

describe('doctor --adopt', () => {
  let mail: number;
  let task: number;
  beforeEach(async () => {
    await query('truncate tend.tasks, tend.attempts, tend.hosts, tend.schedules cascade');
    await query(`select tend.schedule('nightly', '0 4 * * *', 'noop')`);
    task = await site.enqueue('noop');
    mail = await site.enqueue('send-mail');
    const [held] = [await site.enqueue('noop')];
    await query(`update tend.tasks set state = 'held', reason = 'restored from backup b' where id = ${held}`);
    const person = await site.enqueue('restore');
    await query(
      `update tend.tasks set state = 'held', reason = 'lost: worker web1:1 died' where id = ${person}`,
    );
    await query('update tend.meta set database_oid = 1');
  });

  const states = async () => [(await site.task(task)).state, (await site.task(mail)).state];
  const isOwn = async () => (await query('select tend.copied_from() is null as own'))[0]?.own;

  it('says in a database that is its own that there is nothing to adopt, whatever is asked for', async () => {
    await query(
      'update tend.meta set database_oid = (select oid from pg_database where datname = current_database())',
    );
    const result = await site.tend(['doctor', '--adopt', '--unfinished', 'cancel']);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toBe(
      `Database "${site.database.name}" is its own already: there is nothing to adopt.\n`,
    );
    expect(json(await site.tend(['doctor', '--adopt', '--json']))).toMatchObject({
      isAdopted: false,
      copiedFrom: null,
    });
    expect(await states()).toEqual(['waiting', 'waiting']);
  });

  it.each([[[]], [['--json']]])(
    'without a terminal needs to be told: %j is exit code 64, and nothing is done',
    async (flags) => {
      const { exitCode, stderr } = await site.command(['doctor', '--adopt', ...flags]);
      expect(exitCode).toBe(64);
      expect(stderr).toMatch(/^tend: Nothing was done: /);
      if (flags.length === 0) expect(stderr).toContain('hint: Add: --unfinished hold');
      expect({ isOwn: await isOwn(), states: await states() }).toEqual({
        isOwn: false,
        states: ['waiting', 'waiting'],
      });
    },
  );

  it('with --json asks nothing on a terminal either', async () => {
    const { exitCode, stdout } = await runCliOnTerminal(['doctor', '--adopt', '--json'], { cwd: site.path });
    expect(exitCode).toBe(64);
    expect(stdout).toContain('"code": "CONFIRMATION_MISSING"');
  });

  it('says what it has found and changes nothing with --dry-run', async () => {
    const { exitCode, stdout } = await site.command(['doctor', '--adopt', '--dry-run']);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(
        `^Database "${site.database.name}" is a copy of "${site.database.name}" \\(oid 1, here`,
      ),
      'It has 3 unfinished tasks, 1 of them held by a restore:',
      '       1  noop, held by a restore',
      '       1  noop, waiting',
      '       1  send-mail, waiting',
      '1 more were held for a person before, and stay so:',
      '       1  restore, held',
      'Schedules made by SQL, which would go on here: nightly (noop).',
      'Nothing was changed: --dry-run.',
      '',
    ]);
    expect({ isOwn: await isOwn(), states: await states() }).toEqual({
      isOwn: false,
      states: ['waiting', 'waiting'],
    });
  });

  it('has stable keys under --json', async () => {
    const result = await site.command(['doctor', '--adopt', '--unfinished', 'run', '--json']);
    expect(result.exitCode).toBe(0);
    expect(json(result)).toEqual({
      ...{
        dryRun: false,
        database: site.database.name,
        copiedFrom: expect.stringContaining('oid 1'),
        isAdopted: true,
      },
      ...{ decision: 'run', changed: 2, heldMails: 1, schedules: [{ name: 'nightly', kind: 'noop' }] },
      tasks: [
        { kind: 'noop', state: 'held', isHeldByRestore: true, count: 1 },
        { kind: 'noop', state: 'waiting', isHeldByRestore: false, count: 1 },
        { kind: 'restore', state: 'held', isHeldByRestore: false, count: 1 },
        { kind: 'send-mail', state: 'waiting', isHeldByRestore: false, count: 1 },
      ],
    });
  });

  it.each([
    [
      'hold',
      ['held', 'held'],
      /; 2 unfinished tasks are held\.\n.*tend tasks resolve ID.*\n1 mail is held.*\nDisabled .* nightly/,
    ],
    [
      'cancel',
      ['cancelled', 'cancelled'],
      /; 3 unfinished tasks are cancelled\.\nDisabled are the schedules nightly/,
    ],
    [
      'run',
      ['waiting', 'held'],
      /; 2 unfinished tasks wait to be run\.\n1 mail is held; each .* tasks resolve ID --retry\n$/,
    ],
  ] as const)(
    '--unfinished %s leaves a waiting task and a waiting mail as %j, and says so',
    async (choice, after, text) => {
      const { exitCode, stdout, stderr } = await site.command(['doctor', '--adopt', '--unfinished', choice]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toMatch(/^Database .* is a copy of /);
      expect(stdout).toMatch(text);
      expect({ isOwn: await isOwn(), states: await states() }).toEqual({ isOwn: true, states: after });
    },
  );

  it.each([
    ['\n', ['held', 'held']],
    ['cancel\n', ['cancelled', 'cancelled']],
    ['send everything\nRUN\n', ['waiting', 'held']],
  ])('asks on a terminal: %j', async (typed, after) => {
    const { exitCode, stdout } = await runCliOnTerminal(['doctor', '--adopt'], {
      cwd: site.path,
      stdin: typed,
    });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('3 unfinished tasks, 1 of them held by a restore');
    expect(stdout).toContain('What shall become of the unfinished tasks? [hold]');
    if (typed.startsWith('send'))
      expect(stdout).toContain('"send everything" is none of: hold, cancel, run.');
    expect({ isOwn: await isOwn(), states: await states() }).toEqual({ isOwn: true, states: after });
  });

  it('does nothing where the terminal is closed without an answer: exit code 64', async () => {
    const { exitCode, stdout } = await runCliOnTerminal(['doctor', '--adopt'], { cwd: site.path, stdin: '' });
    expect(exitCode).toBe(64);
    expect(stdout).toContain('Nothing was done: ');
    expect({ isOwn: await isOwn(), states: await states() }).toEqual({
      isOwn: false,
      states: ['waiting', 'waiting'],
    });
  });

  it('does nothing after Ctrl-C at the question: exit code 130', async () => {
    const { exitCode, stdout } = await runCliOnTerminal(['doctor', '--adopt'], {
      cwd: site.path,
      stdin: '\u0003',
      typedAt: '[hold]',
    });
    expect(exitCode).toBe(130);
    expect(stdout).toContain('SIGINT');
    expect(await isOwn()).toBe(false);
  });

  it('is refused to a role that does not own the queue: exit code 77', async () => {
    await using application = await createApplicationRole(site.database);
    const env = { TEND_DATABASE_URL: site.database.url.replace(/\/\/[^@]*@/, `//${application.name}@`) };
    const { exitCode, stderr } = await site.command(['doctor', '--adopt', '--unfinished', 'hold'], env);
    expect(exitCode).toBe(77);
    expect(stderr).toContain(`Role "${application.name}" may not adopt database "${site.database.name}"`);
    expect(stderr).toContain('tend migrations up');
    expect(await isOwn()).toBe(false);
  });

  it('of a role that may read everything is refused as well', async () => {
    await using reader = await createApplicationRole(site.database, { isGranted: false });
    await query(
      `grant usage on schema tend to "${reader.name}"; grant select on all tables in schema tend to "${reader.name}"`,
    );
    await query(`grant execute on function tend.copied_from(), tend.system_identifier() to "${reader.name}"`);
    const env = { TEND_DATABASE_URL: site.database.url.replace(/\/\/[^@]*@/, `//${reader.name}@`) };
    const dry = await site.command(['doctor', '--adopt', '--dry-run'], env);
    expect(dry).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await site.command(['doctor', '--adopt', '--unfinished', 'run'], env)).exitCode).toBe(77);
    expect(await isOwn()).toBe(false);
  });

  it('needs a database with the schema: exit code 78', async () => {
    await query('alter table tend.migrations rename to hidden');
    try {
      const result = await site.command(['doctor', '--adopt', '--json']);
      expect(result.exitCode).toBe(78);
      expect(json(result)).toMatchObject({ error: { code: 'SCHEMA_MISSING', hint: 'tend migrations up' } });
    } finally {
      await query('alter table tend.hidden rename to migrations');
    }
  });

  it('holds no session while it asks, and leaves none behind', async () => {
    const never = { cwd: site.path, typedAt: 'nothing like this is ever shown' };
    const { child, result } = await startCliOnTerminal(['doctor', '--adopt'], never);
    let screen = '';
    child.stdout?.on('data', (chunk) => {
      screen += String(chunk);
    });
    await expect.poll(() => screen).toContain('[hold]');
    await expect.poll(() => site.sessions()).toEqual([]);
    child.stdin?.end('\n');
    expect((await result).exitCode).toBe(0);
    expect(await site.sessions()).toEqual([]);
  });
});
