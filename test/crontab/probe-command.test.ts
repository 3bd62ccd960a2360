import { describe, expect, it } from 'vitest';
import { configOfTick, directoryOfTick, probeCommand } from '../../src/crontab/probe-command.ts';

describe('a line is tried with other words in place of the tick', () => {
  it.each([
    ['tend run-due-tasks', 'tend probe'],
    [
      'cd /srv/cms && /usr/bin/tend run-due-tasks 2>&1 | logger -t tend',
      'cd /srv/cms && /usr/bin/tend probe',
    ],
    [
      `/usr/bin/env PATH=/bin:/usr/bin '/srv/a b/node' /x/run.js run-due-tasks --config '/srv/a b/tend.toml'`,
      `/usr/bin/env PATH=/bin:/usr/bin '/srv/a b/node' /x/run.js probe`,
    ],
    [`A='x y' nice -n 10 "/srv/a b/tend" run-due-tasks`, `A='x y' nice -n 10 '/srv/a b/tend' probe`],
    [String.raw`/srv/a\ b/tend run-due-tasks`, `'/srv/a b/tend' probe`],
  ])('%s', (command, probe) => {
    expect(probeCommand(command, ['probe'])).toBe(probe);
  });

  it.each([
    '. ./env.sh && tend run-due-tasks',
    'rm -rf /tmp/x; tend run-due-tasks',
    'tend status && tend run-due-tasks',
    '$HOME/bin/tend run-due-tasks',
    '`which tend` run-due-tasks',
    'true | tend run-due-tasks',
    'tend backup',
  ])('but not where a shell would do more: %s', (command) => {
    expect(probeCommand(command, ['probe'])).toBeUndefined();
  });
});

it('tells which tend.toml and which directory a line names', () => {
  expect(configOfTick(`tend run-due-tasks --limit 3 --config '/srv/a b/tend.toml' 2>&1`)).toBe(
    '/srv/a b/tend.toml',
  );
  expect(configOfTick('tend run-due-tasks --config=/srv/tend.toml')).toBe('/srv/tend.toml');
  expect(configOfTick('tend run-due-tasks')).toBeUndefined();
  expect(directoryOfTick('cd /srv/cms && tend run-due-tasks')).toBe('/srv/cms');
  expect(directoryOfTick('tend run-due-tasks')).toBeUndefined();
});
