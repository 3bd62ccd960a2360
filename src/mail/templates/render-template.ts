import type { FindTranslation } from './evaluate-expression.ts';
import { evaluate, isTrue } from './evaluate-expression.ts';
import { printValue } from './print-value.ts';
import { TemplateFault, type TemplateNode } from './template-node.ts';

export interface RenderTemplateOptions {
  nodes: readonly TemplateNode[];
  data: Readonly<Record<string, unknown>>;
  /** What is done to each value: nothing, or HTML's escaping. What stands in the template itself stays as it is. */
  escape(text: string): string;
  findTranslation: FindTranslation;
}

/** A mail is a page or two; what is beyond this is a loop in a loop by mistake, and would keep everybody waiting. */
const maxCharacters = 5_000_000;
const maxSteps = 1_000_000;

interface Rendering extends Omit<RenderTemplateOptions, 'nodes' | 'data'> {
  output: string[];
  characters: number;
  steps: number;
}

/**
 * Fills a template in. A variable that the data does not have is an error and not a gap in somebody's mail.
 *
 * @throws TemplateFault
 */
export function renderTemplate({ nodes, data, ...rest }: RenderTemplateOptions): string {
  const rendering: Rendering = { ...rest, output: [], characters: 0, steps: 0 };
  renderNodes(rendering, nodes, [data]);
  return rendering.output.join('');
}

type Scopes = readonly Readonly<Record<string, unknown>>[];

function renderNodes(rendering: Rendering, nodes: readonly TemplateNode[], scopes: Scopes): void {
  for (const node of nodes) {
    rendering.steps += 1;
    if (rendering.steps > maxSteps)
      throw new TemplateFault(lineOf(node), 'repeats more than a million things');
    if (node.kind === 'text') write(rendering, node.text, 0);
    else if (node.kind === 'value') write(rendering, textOf(rendering, node, scopes), node.line);
    else if (node.kind === 'for') renderLoop(rendering, node, scopes);
    else {
      const evaluation = { ...rendering, scopes, line: node.line };
      const branch = node.branches.find(
        ({ condition }) => condition === undefined || isTrue(evaluate(condition, evaluation)),
      );
      if (branch !== undefined) renderNodes(rendering, branch.body, scopes);
    }
  }
}

function textOf(rendering: Rendering, node: TemplateNode & { kind: 'value' }, scopes: Scopes): string {
  const { value, line } = node;
  const result = evaluate(value, { ...rendering, scopes, line });
  // A translation is part of the template: its values are escaped already, and its words stay as the translator wrote them.
  return value.kind === 'translated' ? String(result) : rendering.escape(printValue(result, value, line));
}

function renderLoop(rendering: Rendering, node: TemplateNode & { kind: 'for' }, scopes: Scopes): void {
  const { line, name, body, otherwise } = node;
  const list = evaluate(node.list, { ...rendering, scopes, line });
  if (!Array.isArray(list)) throw new TemplateFault(line, `repeats for "${name}" what is not a list`);
  if (list.length === 0) renderNodes(rendering, otherwise, scopes);
  for (const [index, item] of list.entries()) {
    const loop = {
      index: index + 1,
      first: index === 0,
      last: index === list.length - 1,
      length: list.length,
    };
    renderNodes(rendering, body, [{ [name]: item, loop }, ...scopes]);
  }
}

function write(rendering: Rendering, text: string, line: number): void {
  rendering.characters += text.length;
  if (rendering.characters > maxCharacters)
    throw new TemplateFault(line || 1, 'makes more than 5 million characters');
  rendering.output.push(text);
}

function lineOf(node: TemplateNode): number {
  return node.kind === 'text' ? 1 : node.line;
}
