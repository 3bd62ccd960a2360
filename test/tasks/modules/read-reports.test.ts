import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readReports } from '../../../src/tasks/modules/read-reports.ts';

function reader() {
  const enqueued: string[] = [];
  let endings = 0;
  const reports = readReports({
    onEnqueue: ({ task }) => void enqueued.push(task.kind),
    onEnding: () => {
      endings += 1;
    },
  });
  return { ...reports, enqueued, endings: () => endings };
}

const enqueue = (kind: string) => `${JSON.stringify({ enqueue: { task: { kind }, evenIfFailed: false } })}\n`;
const ended = (text: string) => `${JSON.stringify({ ended: { how: 'returned', evidence: { text } } })}\n`;

describe('the reports of a module', () => {
  it('are understood wherever they are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 20 }), (cuts) => {
        const { write, ending, enqueued, endings } = reader();
        let rest = Buffer.from(enqueue('größe') + enqueue('next') + ended('ż'));
        for (const cut of cuts) {
          write(rest.subarray(0, cut));
          rest = rest.subarray(cut);
        }
        write(rest);
        expect(enqueued).toEqual(['größe', 'next']);
        expect(ending()).toEqual({ how: 'returned', evidence: { text: 'ż' } });
        expect(endings()).toBe(1);
      }),
    );
  });

  it('count up to the first ending', () => {
    const { write, ending, enqueued } = reader();
    write(Buffer.from(ended('first') + enqueue('late') + ended('second')));
    expect(ending()).toEqual({ how: 'returned', evidence: { text: 'first' } });
    expect(enqueued).toEqual([]);
  });

  it('are none before their line has ended', () => {
    const { write, ending } = reader();
    write(Buffer.from(ended('x').trimEnd()));
    expect(ending()).toBeUndefined();
  });

  it.each([
    'debug\n',
    '\n',
    '{}\n',
    '[]\n',
    '{"ended":{"how":"great"}}\n',
    '{"enqueue":{"task":{}}}\n',
    '{"ended":null}\n',
  ])('are refused when they are none: %j', (line) => {
    const { write, ending } = reader();
    expect(() => write(Buffer.from(line))).toThrow();
    expect(ending()).toBeUndefined();
  });
});
