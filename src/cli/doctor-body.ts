import { exitCodes } from '../exit-codes.ts';
import type { DoctorFacts } from '../report/doctor/doctor-check.ts';
import { doctorChecks } from '../report/doctor/doctor-checks.ts';
import { type DoctorReport, runChecks } from '../report/doctor/run-checks.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';
import { oneLine } from './format-table.ts';
import { hostName } from './handler-context.ts';
import type { Output } from './output.ts';

/** `tend doctor`: makes every check; exit 4 where one of them is not content. */
export async function doctorBody(
  context: CommandContext,
  program: DoctorFacts['program'],
): Promise<CommandOutcome> {
  const report = await runChecks({
    checks: doctorChecks,
    facts: { ...context, program, host: hostName(context) },
  });
  return {
    result: report,
    exitCode: report.isOk ? exitCodes.ok.code : exitCodes.pending.code,
    render: (output) => render(report, output),
  };
}

const colors = { fail: 'red', warn: 'yellow', ok: 'green' } as const;

function render({ checks, skipped }: DoctorReport, output: Output): void {
  if (!output.isTerminal) {
    const rows = checks.map(({ status, name, text, fix }) => [status, name, text, fix ?? '']);
    output.table(
      ['STATUS', 'CHECK', 'TEXT', 'FIX'],
      [...rows, ...skipped.map((name) => ['skipped', name, '', ''])],
    );
    return;
  }
  for (const { status, name, text, fix } of checks) {
    output.print(`${output.paint(colors[status], status.padEnd(6))}${name.padEnd(20)}${oneLine(text)}`);
    if (fix !== null) output.print(`${' '.repeat(26)}fix: ${oneLine(fix)}`);
  }
  if (skipped.length > 0) output.print(`Not checked before that is put right: ${skipped.join(', ')}`);
}
