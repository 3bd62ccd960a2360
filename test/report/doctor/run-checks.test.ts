import { expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { withoutConfig } from '../../../src/config/load-config.ts';
import { TendError } from '../../../src/errors.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import type { DoctorCheck, DoctorFacts, Finding } from '../../../src/report/doctor/doctor-check.ts';
import { runChecks } from '../../../src/report/doctor/run-checks.ts';
import { thisProgram } from '../support/this-program.ts';

function facts(given: Partial<DoctorFacts> = {}): DoctorFacts {
  const unavailable = async () => {
    throw new Error('no check here connects');
  };
  return {
    ...{
      loadedConfig: withoutConfig('/'),
      configError: undefined,
      secrets: new SecretRegistry(),
      log: silentLog,
      program: thisProgram,
      host: 'web1',
      env: {},
      clock: systemClock,
    },
    ...{ signal: new AbortController().signal, connection: unavailable, openDatabase: unavailable },
    ...given,
  };
}

function check(name: string, finding: Finding | Error, needs?: string): DoctorCheck {
  return {
    name,
    ...(needs === undefined ? {} : { needs }),
    async run() {
      if (finding instanceof Error) throw finding;
      return finding;
    },
  };
}
const ok: Finding = { status: 'ok', text: 'fine' };
const warn: Finding = { status: 'warn', text: 'look', fix: 'look at it' };
const fail: Finding = { status: 'fail', text: 'broken' };

const run = async (checks: DoctorCheck[], given: Partial<DoctorFacts> = {}) =>
  await runChecks({ checks, facts: facts(given) });

it('tells the worst first, and what is equally bad in the order of the checks', async () => {
  const checks = [check('a', ok), check('b', warn), check('c', fail), check('d', warn), check('e', fail)];
  const report = await run(checks);
  expect(report.checks.map(({ name }) => name)).toEqual(['c', 'e', 'b', 'd', 'a']);
  expect(report).toMatchObject({ isOk: false, skipped: [] });
});

it('is content where every check is', async () => {
  expect(await run([check('a', ok)])).toEqual({
    isOk: true,
    checks: [{ name: 'a', status: 'ok', text: 'fine', fix: null }],
    skipped: [],
  });
});

it('is not content with a warning alone', async () => {
  expect(await run([check('a', warn)])).toMatchObject({ isOk: false });
});

it('leaves out what builds upon a check that failed, and what builds upon that', async () => {
  const checks = [check('a', fail), check('b', ok, 'a'), check('c', ok, 'b'), check('d', ok)];
  const report = await run(checks);
  expect(report.checks.map(({ name }) => name)).toEqual(['a', 'd']);
  expect(report.skipped).toEqual(['b', 'c']);
});

it('goes on after a warning', async () => {
  expect((await run([check('a', warn), check('b', ok, 'a')])).skipped).toEqual([]);
});

it('takes an error that a user may meet for what the check has found, with its hint as the fix', async () => {
  const error = new TendError('DATABASE_UNREACHABLE', 'It cannot be reached.', { hint: 'Start it.' });
  expect((await run([check('a', error), check('b', ok)])).checks).toEqual([
    { name: 'a', status: 'fail', text: 'It cannot be reached.', fix: 'Start it.' },
    { name: 'b', status: 'ok', text: 'fine', fix: null },
  ]);
});

it('lets a bug of its own through', async () => {
  await expect(run([check('a', new TypeError('x is undefined'))])).rejects.toThrow('x is undefined');
});

it('stops at a signal instead of calling that a finding', async () => {
  const controller = new AbortController();
  const stopped = new TendError('INTERRUPTED', 'Stopped by SIGINT.');
  const interrupted: DoctorCheck = {
    name: 'a',
    async run() {
      controller.abort(stopped);
      throw new TendError('TOOL_STOPPED', 'pg_dump was stopped.');
    },
  };
  await expect(run([interrupted], { signal: controller.signal })).rejects.toBe(stopped);
});
