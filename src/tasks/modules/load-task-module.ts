import { pathToFileURL } from 'node:url';
import { TendError } from '../../errors.ts';
import type { TaskDefinition } from '../../index.ts';
import { findDefinitionProblem } from './find-definition-problem.ts';

/** A definition as it came out of a module: what `payload` returns is between it and `run`. */
export type LoadedDefinition = TaskDefinition<unknown>;

/** Codes of what is wrong with a file, and will be until somebody changes it. */
const permanentCodes = new Set([
  ...['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_UNKNOWN_FILE_EXTENSION', 'ERR_UNSUPPORTED_DIR_IMPORT'],
  ...['ERR_INVALID_TYPESCRIPT_SYNTAX', 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX', 'ERR_PACKAGE_PATH_NOT_EXPORTED'],
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
]);

/**
 * Loads a module and takes its default export for a task, made with `defineTask` or not.
 *
 * @throws TendError MODULE_INVALID naming the file and what is wrong with it; whatever the module itself throws while
 *   it is loaded.
 */
export async function loadTaskModule(path: string): Promise<LoadedDefinition> {
  let module: { default?: unknown };
  try {
    module = await import(pathToFileURL(path).href);
  } catch (error) {
    if (!isWrongFile(error, path)) throw error;
    throw new TendError('MODULE_INVALID', `The module "${path}" cannot be loaded: ${describe(error)}`, {
      cause: error,
      isPermanent: true,
    });
  }
  const problem = findDefinitionProblem(module.default);
  if (problem === undefined) return module.default as LoadedDefinition; // it was looked at
  throw new TendError('MODULE_INVALID', `The module "${path}" is no task: ${problem}`, {
    hint: 'export default defineTask({ async run({ payload }) { … } })',
    isPermanent: true,
  });
}

function isWrongFile(error: unknown, path: string): error is Error {
  if (!(error instanceof Error)) return false;
  if ('path' in error && error.path === path) return true; // it cannot be read
  if ('code' in error && typeof error.code === 'string') return permanentCodes.has(error.code);
  return error instanceof SyntaxError && isOfLoader(error);
}

/** A module's own code may throw a SyntaxError as well (JSON.parse); Node's loader then does not come first. */
function isOfLoader({ stack = '' }: Error): boolean {
  return /^ {4}at .*$/m.exec(stack)?.[0].includes('(node:internal/') === true;
}

function describe(error: Error): string {
  return `${error.name}: ${error.message}`.replace(/^Error: /, '');
}
