import { type ArgumentMap, addArgument, compareArgumentMaps } from './argument-maps.ts';
import { compareOrderedArguments, type OrderedArguments } from './ordered-arguments.ts';

/** What a format of Ruby takes: the types of its arguments in order, or of the values of a hash. */
export interface RubyArguments {
  inOrder: OrderedArguments;
  named: ArgumentMap<string>;
}

type Kind = 'unnumbered' | 'numbered' | 'named' | 'mixed';

/** Collects the arguments of one format string, which must all be given in the same manner. */
export class RubyArgumentList {
  readonly #unnumbered: string[] = [];
  readonly #numbered = new Map<number, string>();
  readonly #named = new Map<string, string>();

  /** What is wrong with an argument given like this beside those that are there, or undefined. */
  checkKind(kind: Kind): string | undefined {
    const has = {
      unnumbered: this.#unnumbered.length,
      numbered: this.#numbered.size,
      named: this.#named.size,
    };
    const others = (['unnumbered', 'numbered', 'named'] as const).filter((other) => other !== kind);
    return kind === 'mixed' || others.some((other) => has[other] > 0)
      ? 'some arguments are given by name or number and some are not'
      : undefined;
  }

  add(at: { number: number | undefined; name: string | undefined }, type: string): string | undefined {
    const { number, name } = at;
    if (name !== undefined) return this.checkKind('named') ?? addArgument(this.#named, name, type);
    if (number !== undefined) return this.checkKind('numbered') ?? addArgument(this.#numbered, number, type);
    const problem = this.checkKind('unnumbered');
    if (problem === undefined) this.#unnumbered.push(type);
    return problem;
  }

  /** A width or precision `*` or `*1$`, in a directive that has this number or name itself. */
  addStar(
    directive: { number: number | undefined; name: string | undefined },
    starNumber: string | undefined,
  ): string | undefined {
    const isMixed =
      directive.name !== undefined || (starNumber === undefined && directive.number !== undefined);
    if (isMixed) return this.checkKind('mixed');
    const number = starNumber === undefined ? undefined : Number(starNumber);
    return this.add({ number, name: undefined }, 'integer');
  }

  /** Numbered ones in the order of their numbers; unused numbers are not counted, as msgfmt does. */
  arguments(): RubyArguments {
    const byNumber = [...this.#numbered].sort(([a], [b]) => a - b).map(([, type]) => type);
    return { inOrder: [...this.#unnumbered, ...byNumber], named: this.#named };
  }
}

/**
 * What is wrong with a translation that takes these arguments, or undefined. Only named ones can be left out: Ruby's
 * `$DEBUG` makes too many arguments an error.
 */
export function compareRubyArguments(
  source: RubyArguments,
  translation: RubyArguments,
  isStrict: boolean,
): string | undefined {
  if (source.named.size > 0 && translation.inOrder.length > 0)
    return 'takes arguments in order, the source text by name';
  if (source.inOrder.length > 0 && translation.named.size > 0)
    return 'takes arguments by name, the source text in order';
  return (
    compareArgumentMaps(source.named, translation.named, isStrict) ??
    compareOrderedArguments(source.inOrder, translation.inOrder, true)
  );
}
