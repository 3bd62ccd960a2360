import * as v from 'valibot';
import type { Surroundings } from './find-surroundings.ts';

const answer = v.object({
  environment: v.object({
    connection: v.nullable(
      v.object({ place: v.string(), user: v.string(), hasPassword: v.boolean(), origin: v.string() }),
    ),
    searchPath: v.string(),
    connectionProblem: v.nullable(v.string()),
    missingVariables: v.array(
      v.object({
        ...{ key: v.string(), variable: v.string(), text: v.string() },
        use: v.picklist(['reference', 'passed']),
      }),
    ),
    missingPrograms: v.array(v.object({ key: v.string(), program: v.string(), text: v.string() })),
  }),
});

/** What `config validate --environment --json` printed; undefined where it is no such thing, as of another version. */
export function readSurroundings(printed: unknown): Surroundings | undefined {
  const { success, output } = v.safeParse(answer, printed);
  return success ? output.environment : undefined;
}
