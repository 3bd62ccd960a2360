import { findConfigWarnings } from '../config/find-config-warnings.ts';
import { exitCodes } from '../exit-codes.ts';
import { findSurroundings, type Surroundings } from '../report/find-surroundings.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';

/** `tend config validate`: the configuration is right where this is reached at all. */
export async function validateBody(
  context: CommandContext,
  { looksAtEnvironment }: { looksAtEnvironment: boolean },
): Promise<CommandOutcome> {
  const { loadedConfig, configPath } = context;
  const warnings = findConfigWarnings(loadedConfig);
  const surroundings = looksAtEnvironment ? await findSurroundings(context) : undefined;
  const missing = surroundings === undefined ? [] : textsOf(surroundings);
  return {
    result: {
      ...{ file: configPath ?? null, isValid: true, warnings },
      ...(surroundings === undefined ? {} : { environment: surroundings }),
    },
    exitCode: missing.length === 0 ? exitCodes.ok.code : exitCodes.pending.code,
    render(output) {
      for (const { place, text } of warnings) output.warn(`${place}: ${text}`);
      for (const text of missing) output.warn(text);
      output.summary(`${configPath ?? 'The configuration (there is no tend.toml)'} is valid`);
    },
  };
}

function textsOf({ connectionProblem, missingVariables, missingPrograms }: Surroundings): string[] {
  return [
    ...(connectionProblem === null ? [] : [connectionProblem]),
    ...[...missingVariables, ...missingPrograms].map(({ text }) => text),
  ];
}
