import { escapeControl, plainText } from '../plain-text.ts';
import { type Paint, plainPaint } from './colors.ts';
import type { Message } from './message.ts';

/** The lines a person reads, with no order to a terminal from what is quoted. `isBrief` leaves out what stands under an error: the result has it already. */
export function messageAsText(
  message: Message,
  { paint = plainPaint, isBrief = false }: { paint?: Paint; isBrief?: boolean } = {},
): string[] {
  const { level, facts, details, causes = [] } = message;
  const text = plainText(message.text);
  if (level === 'warning') return [`warning: ${text}`];
  if (level === 'debug') return [`debug: ${text}`];
  if (level === 'info') return [text];
  const lines = [`${paint('red', 'tend:')} ${text}`];
  if (isBrief) return lines;
  if (details !== undefined && details !== '') lines.push(indent(plainText(details)));
  if (facts.hint !== undefined) lines.push(`${paint('dim', 'hint:')} ${plainText(facts.hint)}`);
  return [...lines, ...causes.map(plainText)];
}

/** Which run of which command said it. */
export interface MessageOrigin {
  command: string | undefined;
  runId: string;
}

/**
 * One JSON object on one line, whatever the message holds: always `time` (RFC 3339, UTC, milliseconds), `level`, `message`
 * and `runId`; the others where they are known. Keys are only ever added.
 */
export function messageAsJson(message: Message, { command, runId }: MessageOrigin): string {
  const { time, level, text, facts, details, causes } = message;
  const { taskId, kind, attempt, state, durationMs, code, exitCode, hint } = facts;
  const known = { taskId, kind, attempt, state, durationMs, code, exitCode, hint };
  const line = { time: time.toISOString(), level, message: text, command, runId, ...known, details, causes };
  return JSON.stringify(line).replace(unescapedControls, escapeControl);
}

/** What JSON.stringify leaves as it is, and some readers take for the end of a line or for an order to the terminal. */
const unescapedControls = /[\u007f-\u009f\u2028\u2029]/g;

/** The lines of a message for a log that has one line a message, with no order to a terminal in them. */
export function linesWithoutControls(texts: readonly string[]): string[] {
  return texts
    .flatMap((text) => text.split(/\r\n|[\n\r\u2028\u2029]/))
    .filter((line) => line.trim() !== '')
    .map((line) => line.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, escapeControl));
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ').trimEnd();
}
