import { type Expression, TemplateFault, type TranslatingCall, translatingCalls } from './template-node.ts';

interface Parser {
  tokens: readonly string[];
  at: number;
  line: number;
}

const token =
  /\s*("(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|\d+(?:\.\d+)?|[\p{L}_][\p{L}\p{N}_]*|==|!=|[()[\],.=]|\S)/uy;

/**
 * Parses what stands in a tag: paths, texts, numbers, the functions of gettext, and for conditions `not`, `and`, `or`, `==`,
 * `!=`, `is defined` and parentheses, as Jinja writes them. Nothing else can be called, so a template cannot do anything.
 *
 * @throws TemplateFault
 */
export function parseExpression(text: string, line: number): Expression {
  const parser: Parser = { tokens: tokensOf(text), at: 0, line };
  const expression = parseOr(parser);
  if (parser.at < parser.tokens.length) throw unexpected(parser);
  return expression;
}

function tokensOf(text: string): string[] {
  const found: string[] = [];
  const trimmed = text.trimEnd();
  token.lastIndex = 0;
  for (let match = token.exec(trimmed); match !== null; match = token.exec(trimmed))
    found.push(match[1] ?? '');
  return found;
}

function peek({ tokens, at }: Parser): string | undefined {
  return tokens[at];
}

function accept(parser: Parser, wanted: string): boolean {
  if (peek(parser) !== wanted) return false;
  parser.at += 1;
  return true;
}

function expectToken(parser: Parser, wanted: string): void {
  if (!accept(parser, wanted)) throw unexpected(parser, wanted);
}

function unexpected(parser: Parser, wanted?: string): TemplateFault {
  const found = peek(parser);
  const expected = wanted === undefined ? '' : `, and ${JSON.stringify(wanted)} was expected`;
  const text = found === undefined ? 'ends too early' : `has ${JSON.stringify(found)} where it cannot stand`;
  return new TemplateFault(parser.line, `${text}${expected}`);
}

function parseOr(parser: Parser): Expression {
  let left = parseAnd(parser);
  while (accept(parser, 'or')) left = { kind: 'binary', operator: 'or', left, right: parseAnd(parser) };
  return left;
}

function parseAnd(parser: Parser): Expression {
  let left = parseNot(parser);
  while (accept(parser, 'and')) left = { kind: 'binary', operator: 'and', left, right: parseNot(parser) };
  return left;
}

function parseNot(parser: Parser): Expression {
  if (accept(parser, 'not')) return { kind: 'not', operand: parseNot(parser) };
  const left = parseOperand(parser);
  if (accept(parser, 'is')) {
    const isNegated = accept(parser, 'not');
    expectToken(parser, 'defined');
    const defined: Expression = { kind: 'defined', operand: left };
    return isNegated ? { kind: 'not', operand: defined } : defined;
  }
  for (const operator of ['==', '!='] as const) {
    if (accept(parser, operator)) return { kind: 'binary', operator, left, right: parseOperand(parser) };
  }
  return left;
}

const constants = new Map<string, boolean | null>([
  ...(['true', 'True'] as const).map((name) => [name, true] as const),
  ...(['false', 'False'] as const).map((name) => [name, false] as const),
  ...(['none', 'None', 'null'] as const).map((name) => [name, null] as const),
]);

function parseOperand(parser: Parser): Expression {
  if (accept(parser, '(')) {
    const inner = parseOr(parser);
    expectToken(parser, ')');
    return inner;
  }
  const found = peek(parser) ?? '';
  const text = stringOf(found);
  const isName = /^[\p{L}_]/u.test(found);
  if (text === undefined && !isName && !/^\d/.test(found)) throw unexpected(parser);
  parser.at += 1;
  if (text !== undefined) return { kind: 'literal', value: text };
  if (!isName) return { kind: 'literal', value: Number(found) };
  const constant = constants.get(found);
  if (constant !== undefined) return { kind: 'literal', value: constant };
  if (peek(parser) === '(') return parseCall(parser, found);
  return parsePath(parser, found);
}

function parsePath(parser: Parser, first: string): Expression {
  const names = [first];
  for (;;) {
    if (accept(parser, '.')) {
      const name = peek(parser) ?? '';
      if (!/^[\p{L}\p{N}_]+$/u.test(name)) throw unexpected(parser);
      names.push(name);
      parser.at += 1;
    } else if (accept(parser, '[')) {
      const name = peek(parser) ?? '';
      const key = stringOf(name) ?? (/^\d+$/.test(name) ? name : undefined);
      if (key === undefined) throw unexpected(parser);
      names.push(key);
      parser.at += 1;
      expectToken(parser, ']');
    } else return { kind: 'path', names };
  }
}

function parseCall(parser: Parser, name: string): Expression {
  if (!isTranslatingCall(name)) {
    throw new TemplateFault(parser.line, `calls "${name}", and only ${callNames.join(', ')} can be called`);
  }
  expectToken(parser, '(');
  const positional: Expression[] = [];
  const named = new Map<string, Expression>();
  while (!accept(parser, ')')) {
    if (positional.length + named.size > 0) expectToken(parser, ',');
    if (accept(parser, ')')) break;
    if (parser.tokens[parser.at + 1] === '=') {
      const key = peek(parser) ?? '';
      parser.at += 2;
      named.set(key, parseOr(parser));
    } else positional.push(parseOr(parser));
  }
  const wanted = translatingCalls[name];
  if (positional.length === wanted) return { kind: 'translated', call: name, positional, named };
  throw new TemplateFault(
    parser.line,
    `gives ${name} ${positional.length} arguments without a name, and it takes ${wanted}`,
  );
}

const callNames = Object.keys(translatingCalls);

function isTranslatingCall(name: string): name is TranslatingCall {
  return callNames.includes(name);
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** What a quoted token stands for; undefined for another token. */
function stringOf(text: string): string | undefined {
  if (!/^(["'])[\s\S]*\1$/.test(text) || text.length < 2) return undefined;
  return text.slice(1, -1).replace(/\\([\s\S])/g, (_all, char: string) => escapes[char] ?? char);
}
