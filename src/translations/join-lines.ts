import type { ByteText } from './byte-text.ts';

export interface JoinedLines {
  text: ByteText;
  /** Where in the file a character of `text` stands. */
  toFileOffset: (offset: number) => number;
}

const continuation = '\\\n';

/**
 * Takes out each backslash at a line end together with that line end, as GNU gettext does before anything else: the
 * next line goes on with the string, the word or the comment.
 */
export function joinLines(source: ByteText): JoinedLines {
  if (!source.includes(continuation)) return { text: source, toFileOffset: (offset) => offset };
  const pieces = source.split(continuation);
  const joints: number[] = [];
  let length = 0;
  for (const piece of pieces.slice(0, -1)) {
    length += piece.length;
    joints.push(length);
  }
  return {
    text: pieces.join(''),
    toFileOffset(offset) {
      const before = joints.findIndex((joint) => joint > offset);
      return offset + continuation.length * (before === -1 ? joints.length : before);
    },
  };
}
