import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** A fenced code block of one of our documents. */
export interface FencedBlock {
  /** The first word after the fence. */
  language: string;
  /** Of `title="…"` after it; empty where there is none. */
  title: string;
  text: string;
}

/** The code blocks of a document, such as `docs/sql-api.md`, in its order: what readers copy is what tests run. */
export async function fencedBlocks(document: string): Promise<FencedBlock[]> {
  const markdown = await readFile(fileURLToPath(new URL(`../../${document}`, import.meta.url)), 'utf8');
  return [...markdown.matchAll(/^```(\S*)(?: title="([^"]*)")?\n(.*?)^```$/gms)].map(
    ([, language = '', title = '', text = '']) => ({ language, title, text }),
  );
}

/** The one block with that title. */
export function blockTitled(blocks: readonly FencedBlock[], title: string): FencedBlock {
  const found = blocks.filter((block) => block.title === title);
  const [block] = found;
  if (block === undefined || found.length > 1) {
    throw new Error(`${found.length} blocks have the title "${title}", one was expected`);
  }
  return block;
}
