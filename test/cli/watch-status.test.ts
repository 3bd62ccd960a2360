import { expect, it } from 'vitest';
import { plainPaint } from '../../src/cli/colors.ts';
import type { Output } from '../../src/cli/output.ts';
import { watchStatus } from '../../src/cli/watch-status.ts';
import { exampleStatus } from '../report/support/example-status.ts';

const outputTo = (lines: string[], isTerminal = true): Output => ({
  print: (line) => lines.push(line),
  table: (columns) => lines.push(columns.map(String).join(' ')),
  summary: () => undefined,
  warn: () => undefined,
  ...{ paint: plainPaint, isTerminal, isQuiet: false },
});

it('draws each look over the one before, also after a look that failed, until the signal', async () => {
  const lines: string[] = [];
  const controller = new AbortController();
  let looks = 0;
  const look = async () => {
    looks += 1;
    if (looks === 2) throw new Error('the database restarts');
    if (looks === 4) controller.abort();
    return exampleStatus();
  };
  await watchStatus({ look, output: outputTo(lines), signal: controller.signal, pauseMs: 1 });
  expect(lines.filter((line) => /^Database|^No look/.test(line))).toEqual([
    'Database "cms": ok',
    'No look was possible: the database restarts',
    'Database "cms": ok',
  ]);
  expect(lines.filter((line) => line === '\u001b[H\u001b[J')).toHaveLength(3);
});

it('is refused where nothing can be redrawn', async () => {
  const look = async () => exampleStatus();
  const { signal } = new AbortController();
  await expect(watchStatus({ look, output: outputTo([], false), signal })).rejects.toMatchObject({
    code: 'USAGE',
  });
});
