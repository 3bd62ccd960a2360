import { TendError } from '../errors.ts';

/** One site's lines in a crontab, between its markers. Lines are counted from 0. */
export interface CrontabBlock {
  first: number;
  /** Of the END marker. */
  last: number;
}

/** The markers name the site's tend.toml, so that several sites can stand in one crontab. */
function crontabMarkers(configPath: string): { begin: string; end: string } {
  return { begin: `# BEGIN tend ${configPath}`, end: `# END tend ${configPath}` };
}

/**
 * Finds the lines between the markers of a site; undefined where there are none.
 *
 * @throws TendError INPUT_INVALID where a marker is missing or there twice: what lies between them cannot be told then.
 */
function findCrontabBlock(lines: readonly string[], configPath: string): CrontabBlock | undefined {
  const { begin, end } = crontabMarkers(configPath);
  const placesOf = (marker: string) =>
    lines.flatMap((line, index) => (line.trimEnd() === marker ? [index] : []));
  const [firsts, lasts] = [placesOf(begin), placesOf(end)];
  if (firsts.length === 0 && lasts.length === 0) return undefined;
  const [first, last] = [firsts[0], lasts[0]];
  const isPair = firsts.length === 1 && lasts.length === 1;
  if (isPair && first !== undefined && last !== undefined && first < last) return { first, last };
  throw new TendError(
    'INPUT_INVALID',
    `The crontab was left as it is: "${begin}" and "${end}" were expected once each, in this order, and are there ${firsts.length} and ${lasts.length} times.`,
    { hint: 'Remove these lines and what belongs to them: crontab -e', isPermanent: true },
  );
}

/** Whether a line, counted from 0, stands between the markers of a site. False where the markers are no pair. */
export function isInCrontabBlock(text: string, configPath: string, line: number): boolean {
  const { begin, end } = crontabMarkers(configPath);
  const lines = linesOf(text).map((one) => one.trimEnd());
  return lines.indexOf(begin) >= 0 && lines.indexOf(begin) < line && line < lines.lastIndexOf(end);
}

/** The crontab with a site's lines in place of those that it has, or at its end. */
export function withCrontabBlock(
  text: string,
  configPath: string,
  linesBelow: (above: readonly string[]) => readonly string[],
): string {
  const lines = linesOf(text);
  const found = findCrontabBlock(lines, configPath);
  const above = lines.slice(0, found?.first ?? lines.length);
  const below = found === undefined ? [] : lines.slice(found.last + 1);
  const { begin, end } = crontabMarkers(configPath);
  return joined([...above, begin, ...linesBelow(above), end, ...below]);
}

/** The crontab without a site's lines: as it was where there are none. */
export function withoutCrontabBlock(text: string, configPath: string): string {
  const lines = linesOf(text);
  const found = findCrontabBlock(lines, configPath);
  if (found === undefined) return text;
  return joined([...lines.slice(0, found.first), ...lines.slice(found.last + 1)]);
}

function linesOf(text: string): string[] {
  if (text === '') return [];
  return text.replace(/\n$/, '').split('\n');
}

/** cron ignores a last line without a newline. */
function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
