import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { parseDuration } from '../../src/duration.ts';
import { exitCodes } from '../../src/exit-codes.ts';
import { blockTitled, fencedBlocks } from '../support/fenced-blocks.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { longestGraceMs } from './longest-grace.ts';

/** The units of docs/operations.md. They were run by hand under systemd 252; here are the keys that matter, and why. */
const blocks = await fencedBlocks('docs/operations.md');
const serviceFile = '/etc/systemd/system/cms-tend@.service';
const timerFile = '/etc/systemd/system/cms-tend@.timer';
const service = parseUnit(blockTitled(blocks, serviceFile).text);
const timer = parseUnit(blockTitled(blocks, timerFile).text);
const instances = [...blockTitled(blocks, 'as root').text.matchAll(/cms-tend@(\d\d)\.timer/g)].map(
  ([, instance]) => instance ?? '',
);

/** `Section.Key` to value; fails on a line that is neither a section, an assignment nor a comment. */
function parseUnit(text: string): Map<string, string> {
  const settings = new Map<string, string>();
  let section = '';
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, heading] = /^\[(\w+)\]$/.exec(line) ?? [];
    const [, key, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (heading !== undefined) section = heading;
    else if (key === undefined) throw new Error(`no line of a unit file: ${line}`);
    else settings.set(`${section}.${key}`, value);
  }
  return settings;
}

it('the service is over when the tick is, and runs as the user, in the directory, what cron would', () => {
  expect(Object.fromEntries(service)).toMatchObject({
    'Service.Type': 'oneshot',
    'Service.User': 'cms',
    'Service.WorkingDirectory': '/srv/cms',
    'Service.ExecStart': '/usr/local/bin/tend run-due-tasks',
  });
  expect(service.has('Service.RemainAfterExit')).toBe(false);
});

it('what is no alarm is no failure: busy, and stopped', () => {
  const { busy, terminated } = exitCodes;
  expect(service.get('Service.SuccessExitStatus')).toBe(`${busy.code} ${terminated.code}`);
});

it('a stop is told to tend alone, which has time for the longest grace of a kind', () => {
  expect(service.get('Service.KillMode')).toBe('mixed');
  const timeoutMs = parseDuration((service.get('Service.TimeoutStopSec') ?? '').replace('min', 'm'));
  expect(timeoutMs).toBeGreaterThanOrEqual(longestGraceMs() + 30_000);
  expect(service.get('Service.OOMPolicy')).toBe('continue');
});

it('nothing limits how long a tick may take, or what Node compiles', () => {
  for (const key of ['RuntimeMaxSec', 'TimeoutStartSec', 'TimeoutSec', 'MemoryDenyWriteExecute']) {
    expect(service.has(`Service.${key}`), key).toBe(false);
  }
});

it('tasks may write where the document has them write', () => {
  expect(service.get('Service.ProtectSystem')).toBe('strict');
  expect(service.get('Service.ReadWritePaths')?.split(' ')).toEqual(['/srv/cms', '/var/backups/cms']);
  expect(service.get('Service.ProtectHome')).toBe('read-only');
});

it('three timers tick in turn, to the second', () => {
  expect(Object.fromEntries(timer)).toMatchObject({
    'Timer.OnCalendar': '*:*:%i',
    'Timer.AccuracySec': '1s',
    'Timer.Persistent': 'true',
    'Install.WantedBy': 'timers.target',
  });
  expect(instances).toEqual(['00', '20', '40']);
});

it('systemd-analyze finds nothing to say about them', async ({ skip }) => {
  const version = spawnSync('/usr/bin/systemd-analyze', ['--version'], { encoding: 'utf8' });
  skip(version.status !== 0, 'systemd-analyze is missing: apt-get install --no-install-recommends systemd');
  await using directory = await temporaryDirectory();
  const verify = async (unit: string) => {
    await writeFile(join(directory.path, basename(serviceFile)), unit);
    await writeFile(join(directory.path, basename(timerFile)), blockTitled(blocks, timerFile).text);
    // An instance is looked for under its own name; what it says of the host's own units is not our affair.
    const units = instances.map((instance) => `cms-tend@${instance}.timer`);
    const { stderr } = spawnSync('/usr/bin/systemd-analyze', ['verify', ...units], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', SYSTEMD_UNIT_PATH: `${directory.path}:` },
    });
    return stderr.split('\n').filter((line) => line.includes('cms-tend'));
  };
  const unit = blockTitled(blocks, serviceFile).text.replace('/usr/local/bin/tend', '/bin/true');
  expect(await verify(unit)).toEqual([]);
  expect(await verify(unit.replace('KillMode', 'KilMode'))).not.toEqual([]);
});
