import { type Expression, TemplateFault } from './template-node.ts';

/** A value as it stands in a mail. Null is a gap as much as what is not there, and lists and objects have no words. */
export function printValue(value: unknown, expression: Expression, line: number): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const what = value === null ? 'is null' : 'is a list or an object, and cannot be printed';
  throw new TemplateFault(line, `prints ${describe(expression)}, which ${what}`);
}

function describe(expression: Expression): string {
  return expression.kind === 'path' ? JSON.stringify(expression.names.join('.')) : 'a value';
}
