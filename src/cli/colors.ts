import { styleText } from 'node:util';
import type { OutputStream } from './process-host.ts';

type Style = Parameters<typeof styleText>[0];

/** Puts a style around a text, or leaves it alone where colour is off. */
export type Paint = (style: Style, text: string) => string;

/**
 * Whether to write colours to `stream`: `--no-color`, then FORCE_COLOR, NO_COLOR (https://no-color.org), TERM=dumb,
 * and at last whether it is a terminal.
 */
export function isColorOn({
  stream,
  env,
  noColor,
}: {
  stream: OutputStream;
  env: NodeJS.ProcessEnv;
  noColor: boolean;
}): boolean {
  if (noColor) return false;
  const forced = env.FORCE_COLOR;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.TERM === 'dumb') return false;
  return stream.isTTY === true;
}

export const plainPaint: Paint = (_style, text) => text;

export const colorPaint: Paint = (style, text) => styleText(style, text, { validateStream: false });
