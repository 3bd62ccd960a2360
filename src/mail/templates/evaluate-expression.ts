import { closestName } from '../../closest-name.ts';
import { printValue } from './print-value.ts';
import { type Expression, TemplateFault } from './template-node.ts';

/** A message to be translated, as gettext knows it. */
export interface TranslatableMessage {
  msgid: string;
  context?: string;
  /** Both or none: the text for several, and how many they are. */
  plural?: string;
  count?: number;
}

/** What the catalogs of the reader's language have for it; undefined where they have nothing. */
export type FindTranslation = (message: TranslatableMessage) => string | undefined;

export interface Evaluation {
  /** The innermost first. */
  scopes: readonly Readonly<Record<string, unknown>>[];
  findTranslation: FindTranslation;
  escape(text: string): string;
  line: number;
}

/**
 * The value of an expression.
 *
 * @throws TemplateFault where the data does not have what it names.
 */
export function evaluate(expression: Expression, evaluation: Evaluation): unknown {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'path':
      return required(expression.names, evaluation);
    case 'not':
      return !isTrue(evaluate(expression.operand, evaluation));
    case 'defined':
      return expression.operand.kind !== 'path' || look(expression.operand.names, evaluation).isFound;
    case 'binary':
      return evaluateBinary(expression, evaluation);
    case 'translated':
      return translate(expression, evaluation);
  }
}

/** As in Jinja and Python: nothing, zero and what is empty are false. */
export function isTrue(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function evaluateBinary(
  { operator, left, right }: Expression & { kind: 'binary' },
  evaluation: Evaluation,
): unknown {
  const first = evaluate(left, evaluation);
  if (operator === 'and') return isTrue(first) ? evaluate(right, evaluation) : first;
  if (operator === 'or') return isTrue(first) ? first : evaluate(right, evaluation);
  const isSame = first === evaluate(right, evaluation);
  return operator === '==' ? isSame : !isSame;
}

interface Looked {
  isFound: boolean;
  value: unknown;
  /** Names that were there instead. */
  others: readonly string[];
}

function required(names: readonly string[], evaluation: Evaluation): unknown {
  const { isFound, value, others } = look(names, evaluation);
  if (isFound) return value;
  const meant = closestName(names.at(-1) ?? '', others);
  throw new TemplateFault(
    evaluation.line,
    `uses "${names.join('.')}", which the data does not have${meant === undefined ? '' : `; did it mean "${meant}"?`}`,
  );
}

/** Own properties only: nothing of JavaScript shows through, whatever the data or the template name. */
function look([first = '', ...rest]: readonly string[], { scopes }: Evaluation): Looked {
  const scope = scopes.find((each) => Object.hasOwn(each, first));
  if (scope === undefined) return { isFound: false, value: undefined, others: scopes.flatMap(Object.keys) };
  let value = scope[first];
  for (const name of rest) {
    const isContainer = typeof value === 'object' && value !== null;
    if (!isContainer || !Object.hasOwn(value as object, name)) {
      return { isFound: false, value: undefined, others: isContainer ? Object.keys(value as object) : [] };
    }
    // It is an object, and has it.
    value = (value as Record<string, unknown>)[name];
  }
  return { isFound: value !== undefined, value, others: [] };
}

/** Jinja's "new style" gettext: `%(name)s` in the translation stands for the argument of that name, and is escaped. */
function translate(
  { call, positional, named }: Expression & { kind: 'translated' },
  evaluation: Evaluation,
): string {
  const { line } = evaluation;
  const words = positional.map((each) => evaluate(each, evaluation));
  const context = call === 'pgettext' || call === 'npgettext' ? String(words.shift()) : undefined;
  const [msgid, plural, count] = words;
  const isPlural = call === 'ngettext' || call === 'npgettext';
  if (typeof msgid !== 'string' || (isPlural && (typeof plural !== 'string' || typeof count !== 'number'))) {
    throw new TemplateFault(
      line,
      `gives ${call} ${isPlural ? 'something else than two texts and a number' : 'no text'}`,
    );
  }
  const message = {
    msgid,
    ...(context === undefined ? {} : { context }),
    // Checked above.
    ...(isPlural ? { plural: plural as string, count: count as number } : {}),
  };
  const text = evaluation.findTranslation(message) ?? (isPlural && count !== 1 ? String(plural) : msgid);
  return text.replace(/%\((\w+)\)[sd]|%%/g, (all, name: string | undefined) => {
    if (name === undefined) return '%';
    const argument = named.get(name);
    if (argument !== undefined)
      return evaluation.escape(printValue(evaluate(argument, evaluation), argument, line));
    if (name === 'num' && isPlural) return String(count);
    throw new TemplateFault(
      line,
      `translates ${JSON.stringify(msgid.slice(0, 80))} to a text with ${all}, which the template does not give`,
    );
  });
}
