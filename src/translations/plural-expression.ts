/** A plural expression, ready to be asked: which form does the number `n` take? */
export type PluralExpression = (n: bigint) => bigint;

/** Thrown by an expression that divides by zero for this number. */
export class DivisionByZero extends Error {}

type Binary = (a: bigint, b: bigint) => bigint;

const truth = (value: boolean): bigint => (value ? 1n : 0n);
/** C's `unsigned long`, in which gettext calculates. */
const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
const nonZero = (value: bigint): bigint => {
  if (value === 0n) throw new DivisionByZero();
  return value;
};

/** Binary operators by precedence, the weakest first, as in C. `?:`, `||` and `&&` are apart: they do not evaluate all. */
const levels: readonly Readonly<Record<string, Binary>>[] = [
  { '==': (a, b) => truth(a === b), '!=': (a, b) => truth(a !== b) },
  {
    '<': (a, b) => truth(a < b),
    '>': (a, b) => truth(a > b),
    '<=': (a, b) => truth(a <= b),
    '>=': (a, b) => truth(a >= b),
  },
  { '+': (a, b) => wrap(a + b), '-': (a, b) => wrap(a - b) },
  { '*': (a, b) => wrap(a * b), '/': (a, b) => a / nonZero(b), '%': (a, b) => a % nonZero(b) },
];

/** Python's gettext refuses longer ones. */
const maxLength = 1000;
const maxDepth = 20;

interface Parser {
  tokens: readonly string[];
  at: number;
  depth: number;
}

/**
 * Parses the C expression of a `Plural-Forms` header: `n`, numbers, `! * / % + - < > <= >= == != && || ?:` and
 * parentheses. Undefined when it is none.
 */
export function parsePluralExpression(text: string): PluralExpression | undefined {
  if (text.length > maxLength) return undefined;
  const tokens = text.match(/\d+|[n?:()*/%+-]|[=!<>]=|[<>!]|&&|\|\||[^ \t]/g);
  if (tokens === null) return undefined;
  const parser: Parser = { tokens, at: 0, depth: 0 };
  const expression = parseTernary(parser);
  return parser.at === tokens.length ? expression : undefined;
}

function accept(parser: Parser, token: string): boolean {
  if (parser.tokens[parser.at] !== token) return false;
  parser.at += 1;
  return true;
}

function parseTernary(parser: Parser): PluralExpression | undefined {
  const condition = parseLogical(parser, '||');
  if (condition === undefined || !accept(parser, '?')) return condition;
  const yes = nested(parser, parseTernary);
  if (yes === undefined || !accept(parser, ':')) return undefined;
  const no = parseTernary(parser);
  return no && ((n) => (condition(n) === 0n ? no(n) : yes(n)));
}

function parseLogical(parser: Parser, operator: '||' | '&&'): PluralExpression | undefined {
  const parseOperand = () => (operator === '||' ? parseLogical(parser, '&&') : parseBinary(parser, 0));
  let left = parseOperand();
  while (left !== undefined && accept(parser, operator)) {
    const [first, second] = [left, parseOperand()];
    if (second === undefined) return undefined;
    left =
      operator === '||'
        ? (n) => truth(first(n) !== 0n || second(n) !== 0n)
        : (n) => truth(first(n) !== 0n && second(n) !== 0n);
  }
  return left;
}

function parseBinary(parser: Parser, level: number): PluralExpression | undefined {
  const operators = levels[level];
  if (operators === undefined) return parseUnary(parser);
  let left = parseBinary(parser, level + 1);
  for (;;) {
    const operator = operators[parser.tokens[parser.at] ?? ''];
    if (left === undefined || operator === undefined) return left;
    parser.at += 1;
    const [first, second] = [left, parseBinary(parser, level + 1)];
    left = second && ((n) => operator(first(n), second(n)));
  }
}

function parseUnary(parser: Parser): PluralExpression | undefined {
  if (accept(parser, '!')) {
    const operand = nested(parser, parseUnary);
    return operand && ((n) => truth(operand(n) === 0n));
  }
  if (accept(parser, '(')) {
    const inner = nested(parser, parseTernary);
    return accept(parser, ')') ? inner : undefined;
  }
  if (accept(parser, 'n')) return (n) => n;
  const token = parser.tokens[parser.at] ?? '';
  if (!/^\d+$/.test(token)) return undefined;
  parser.at += 1;
  const value = wrap(BigInt(token));
  return () => value;
}

function nested(
  parser: Parser,
  parse: (parser: Parser) => PluralExpression | undefined,
): PluralExpression | undefined {
  parser.depth += 1;
  const result = parser.depth > maxDepth ? undefined : parse(parser);
  parser.depth -= 1;
  return result;
}
