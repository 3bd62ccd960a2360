import { measureProgram, type Program } from './measure-program.ts';
import type { Measurement } from './results.ts';

/** What a program cost, one value a run. */
export interface ProgramCosts {
  wallMs: number[];
  cpuMs: number[];
  peakMiB: number[];
}

/** Runs every program once for nothing (caches), then all of them in turn, `rounds` times. */
export async function measureInTurn<Name extends string>(
  programs: Record<Name, Program>,
  rounds: number,
): Promise<Record<Name, ProgramCosts>> {
  // Object.entries forgets the type of the keys
  const entries = Object.entries<Program>(programs) as [Name, Program][];
  const costs = Object.fromEntries(
    entries.map(([name]) => [name, { wallMs: [], cpuMs: [], peakMiB: [] }]),
  ) as unknown as Record<Name, ProgramCosts>; // every name of `programs` has just been given its own
  for (const [, program] of [...entries, ...entries]) await measureProgram(program);
  for (let round = 0; round < rounds; round++) {
    for (const [name, program] of entries) {
      const cost = await measureProgram(program);
      costs[name].wallMs.push(cost.wallMs);
      costs[name].cpuMs.push(cost.cpuMs);
      costs[name].peakMiB.push(cost.peakMiB);
    }
  }
  return costs;
}

/** The costs as a line of the report. */
export function toMeasurement(subject: string, costs: ProgramCosts): Measurement {
  return {
    subject,
    columns: { 'wall ms': costs.wallMs, 'CPU ms': costs.cpuMs, 'peak RSS MiB': costs.peakMiB },
  };
}
