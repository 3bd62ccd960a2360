import { parseExpression } from './parse-expression.ts';
import { type Branch, TemplateFault, type TemplateNode } from './template-node.ts';

type Piece = { kind: 'text'; text: string } | { kind: 'value' | 'tag'; line: number; text: string };

interface Parser {
  pieces: readonly Piece[];
  at: number;
}

/**
 * Parses a template: `{{ value }}`, `{% if %}…{% elif %}…{% else %}…{% endif %}`, `{% for x in list %}…{% endfor %}` and
 * `{# comment #}`: a part of Jinja, so that the editors and message extractors which know that read it. A tag or a comment alone
 * on its line takes the line with it.
 *
 * @throws TemplateFault
 */
export function parseTemplate(source: string): TemplateNode[] {
  const parser: Parser = { pieces: split(source), at: 0 };
  const nodes = parseNodes(parser);
  const left = parser.pieces[parser.at];
  if (left === undefined || left.kind === 'text') return nodes;
  throw new TemplateFault(left.line, `has {% ${left.text} %} that belongs to nothing`);
}

const opening = /\{\{|\{%|\{#/g;
const inside = `(?:"(?:[^"\\\\]|\\\\[\\s\\S])*"|'(?:[^'\\\\]|\\\\[\\s\\S])*'|[^"'])*?`;
const closings: Readonly<Record<string, RegExp>> = {
  '{{': new RegExp(`(${inside})\\}\\}`, 'y'),
  '{%': new RegExp(`(${inside})%\\}`, 'y'),
  '{#': /([\s\S]*?)#\}/y,
};

function split(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let line = 1;
  let lineAt = 0;
  const lineOf = (place: number) => {
    for (
      let next = source.indexOf('\n', lineAt);
      next >= 0 && next < place;
      next = source.indexOf('\n', lineAt)
    ) {
      line += 1;
      lineAt = next + 1;
    }
    return line;
  };
  for (const match of source.matchAll(opening)) {
    if (match.index < at) continue;
    const [mark] = match;
    const closing = closings[mark];
    if (closing === undefined) continue;
    closing.lastIndex = match.index + 2;
    const found = closing.exec(source);
    if (found === null) throw new TemplateFault(lineOf(match.index), `has a ${mark} that is not closed`);
    const end = closing.lastIndex;
    const alone = mark === '{{' ? undefined : lineAround(source, match.index, end);
    pieces.push({ kind: 'text', text: source.slice(at, Math.max(alone?.from ?? match.index, at)) });
    const text = (found[1] ?? '').trim();
    if (mark !== '{#')
      pieces.push({ kind: mark === '{{' ? 'value' : 'tag', line: lineOf(match.index), text });
    at = alone?.to ?? end;
  }
  pieces.push({ kind: 'text', text: source.slice(at) });
  return pieces;
}

/** The whole line around a tag, its end included, where nothing else stands in it. */
function lineAround(source: string, from: number, to: number): { from: number; to: number } | undefined {
  let start = from;
  while (start > 0 && (source[start - 1] === ' ' || source[start - 1] === '\t')) start -= 1;
  let end = to;
  while (source[end] === ' ' || source[end] === '\t' || source[end] === '\r') end += 1;
  const isAlone =
    (start === 0 || source[start - 1] === '\n') && (end === source.length || source[end] === '\n');
  return isAlone ? { from: start, to: Math.min(end + 1, source.length) } : undefined;
}

/** Up to a tag that closes or continues what is around. */
function parseNodes(parser: Parser): TemplateNode[] {
  const nodes: TemplateNode[] = [];
  for (; parser.at < parser.pieces.length; ) {
    const piece = parser.pieces[parser.at];
    if (piece === undefined || (piece.kind === 'tag' && /^(elif|else|endif|endfor)\b/.test(piece.text)))
      break;
    parser.at += 1;
    if (piece.kind === 'text') {
      if (piece.text !== '') nodes.push(piece);
    } else if (piece.kind === 'value') {
      nodes.push({ kind: 'value', line: piece.line, value: parseExpression(piece.text, piece.line) });
    } else nodes.push(parseBlock(parser, piece));
  }
  return nodes;
}

function parseBlock(parser: Parser, { line, text }: { line: number; text: string }): TemplateNode {
  const condition = /^if\s+([\s\S]+)$/.exec(text)?.[1];
  if (condition !== undefined) return parseIf(parser, line, condition);
  const loop = /^for\s+([\p{L}_][\p{L}\p{N}_]*)\s+in\s+([\s\S]+)$/u.exec(text);
  if (loop !== null) return parseFor(parser, line, loop[1] ?? '', loop[2] ?? '');
  throw new TemplateFault(
    line,
    `has {% ${text} %}, and only if, elif, else, endif, for and endfor are known`,
  );
}

function parseIf(parser: Parser, line: number, first: string): TemplateNode {
  const branches: Branch[] = [{ condition: parseExpression(first, line), body: parseNodes(parser) }];
  for (;;) {
    const tag = takeTag(parser, line, 'endif');
    if (tag.text === 'endif') return { kind: 'if', line, branches };
    const condition = /^elif\s+([\s\S]+)$/.exec(tag.text)?.[1];
    const isAfterElse = branches.at(-1)?.condition === undefined;
    if (isAfterElse || (condition === undefined && tag.text !== 'else')) {
      throw new TemplateFault(tag.line, `has {% ${tag.text} %} where {% endif %} was expected`);
    }
    branches.push({
      condition: condition === undefined ? undefined : parseExpression(condition, tag.line),
      body: parseNodes(parser),
    });
  }
}

function parseFor(parser: Parser, line: number, name: string, list: string): TemplateNode {
  const body = parseNodes(parser);
  let tag = takeTag(parser, line, 'endfor');
  let otherwise: TemplateNode[] = [];
  if (tag.text === 'else') {
    otherwise = parseNodes(parser);
    tag = takeTag(parser, line, 'endfor');
  }
  if (tag.text === 'endfor')
    return { kind: 'for', line, name, list: parseExpression(list, line), body, otherwise };
  throw new TemplateFault(tag.line, `has {% ${tag.text} %} where {% endfor %} was expected`);
}

function takeTag(parser: Parser, openedAt: number, wanted: string): { line: number; text: string } {
  const piece = parser.pieces[parser.at];
  parser.at += 1;
  if (piece?.kind === 'tag') return piece;
  throw new TemplateFault(openedAt, `opens a block that no {% ${wanted} %} closes`);
}
