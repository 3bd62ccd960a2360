/** What stands in `{{ … }}` and behind `if`, parsed. */
export type Expression =
  | { kind: 'literal'; value: string | number | boolean | null }
  /** `order.lines[0]`: the first name is looked for in the loops around, then in the data. */
  | { kind: 'path'; names: readonly string[] }
  /** `_("…", name=…)` and its relatives. */
  | {
      kind: 'translated';
      call: TranslatingCall;
      positional: readonly Expression[];
      named: ReadonlyMap<string, Expression>;
    }
  | { kind: 'not'; operand: Expression }
  | { kind: 'defined'; operand: Expression }
  | { kind: 'binary'; operator: '==' | '!=' | 'and' | 'or'; left: Expression; right: Expression };

/** Functions of gettext, by how many arguments stand before the named ones. */
export const translatingCalls = { _: 1, gettext: 1, ngettext: 3, pgettext: 2, npgettext: 4 } as const;
export type TranslatingCall = keyof typeof translatingCalls;

/** A template, parsed. Lines count from 1. */
export type TemplateNode =
  | { kind: 'text'; text: string }
  | { kind: 'value'; line: number; value: Expression }
  /** The first branch whose condition holds; `else` has none. */
  | { kind: 'if'; line: number; branches: readonly Branch[] }
  | {
      kind: 'for';
      line: number;
      name: string;
      list: Expression;
      body: readonly TemplateNode[];
      /** Where the list is empty. */
      otherwise: readonly TemplateNode[];
    };

export interface Branch {
  condition: Expression | undefined;
  body: readonly TemplateNode[];
}

/** What is wrong with a template, or with the data for it; the message ends a sentence about the place. */
export class TemplateFault extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}
