import { TendError, toError } from '../../errors.ts';
import type { StandardIssue } from '../../index.ts';
import type { LoadedDefinition } from './load-task-module.ts';

/**
 * The payload as `run` gets it: what the module's `payload` makes of it.
 *
 * @throws TendError PAYLOAD_INVALID, for good, with the path of every bad field where the schema tells it.
 */
export async function parsePayload(options: {
  definition: LoadedDefinition;
  payload: Record<string, unknown>;
  kind: string;
}): Promise<unknown> {
  const { payload, kind } = options;
  const parser = options.definition.payload;
  if (parser === undefined) return payload;
  try {
    if (!('~standard' in parser)) return await parser(payload);
    const result = await parser['~standard'].validate(payload);
    if (result.issues === undefined) return result.value;
    throw new Error(describeIssues(result.issues));
  } catch (thrown) {
    const why = issuesOf(thrown) ?? toError(thrown).message;
    throw new TendError('PAYLOAD_INVALID', `The payload does not fit kind "${kind}": ${why}`, {
      cause: thrown,
      isPermanent: true,
    });
  }
}

/** What the `parse` of valibot, zod and others throws has the issues in it, of the same shape. */
function issuesOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('issues' in thrown) || !Array.isArray(thrown.issues)) return undefined;
  return describeIssues(thrown.issues);
}

function describeIssues(issues: readonly StandardIssue[]): string {
  return issues.map(({ path, message }) => `${dotPath(path)}: ${message}`).join('; ');
}

function dotPath(path: StandardIssue['path']): string {
  const keys = (path ?? []).map((item) => String(typeof item === 'object' ? item.key : item));
  return keys.length === 0 ? '(payload)' : keys.join('.');
}
