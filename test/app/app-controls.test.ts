import { expect, test } from 'vitest';
import { appControls } from '../../src/app/app-controls.ts';
import { changeAppSafely } from '../../src/app/change-app-safely.ts';
import { systemClock } from '../../src/clock.ts';
import { silentLog } from '../../src/log.ts';
import { SecretRegistry } from '../../src/redact.ts';

function controlsFor(program: string) {
  return appControls({
    app: { restart: [program], restart_timeout: 5000 },
    baseDirectory: '/',
    env: { PATH: '/usr/bin:/bin' },
    secrets: new SecretRegistry(),
    clock: systemClock,
    log: silentLog,
  });
}

test('a restart program that is not there is found out before anything is changed', async () => {
  const steps: string[] = [];
  const changing = changeAppSafely({
    ...controlsFor('no-such-restart'),
    subject: 'the new pages',
    apply: async () => steps.push('apply'),
    undo: async () => void steps.push('undo'),
    log: silentLog,
    signal: new AbortController().signal,
  });
  await expect(changing).rejects.toMatchObject({
    code: 'TOOL_NOT_FOUND',
    message: expect.stringContaining('no-such-restart'),
  });
  expect(steps).toEqual([]);
});

test('a restart program that is there is run', async () => {
  const controls = controlsFor('true');
  controls.preflight?.();
  await expect(controls.restart?.(new AbortController().signal)).resolves.toHaveProperty('tookMs');
});
