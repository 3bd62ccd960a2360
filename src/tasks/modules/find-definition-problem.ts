/** Why what a module exports by default is no definition of a task; undefined when it is one. */
export function findDefinitionProblem(exported: unknown): string | undefined {
  if (exported === undefined) return 'it has no default export';
  if (typeof exported !== 'object' || exported === null || Array.isArray(exported)) {
    return `its default export is ${nameOf(exported)}, and an object with "run" was expected`;
  }
  const { run, payload }: { run?: unknown; payload?: unknown } = exported;
  if (typeof run !== 'function')
    return `"run" of its default export is ${nameOf(run)}, and a function was expected`;
  if (payload !== undefined && typeof payload !== 'function' && !isStandardSchema(payload)) {
    return `"payload" of its default export is ${nameOf(payload)}, and a function or a Standard Schema was expected`;
  }
  const other = Object.keys(exported).find((key) => key !== 'run' && key !== 'payload');
  if (other === undefined) return undefined;
  return `its default export has "${other}", and only "payload" and "run" are known (limits stand in tend.toml)`;
}

function isStandardSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '~standard' in value;
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
