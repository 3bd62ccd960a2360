import { expect, it } from 'vitest';
import { linesWithoutControls, messageAsJson, messageAsText } from '../../src/cli/format-message.ts';
import type { Message } from '../../src/cli/message.ts';

const origin = { command: 'tasks show', runId: 'the-run' };

function message(given: Partial<Message> = {}): Message {
  return { time: new Date('2026-11-28T02:30:09.041Z'), level: 'warning', text: 'look', facts: {}, ...given };
}

it('a message as JSON has its time, level, words and run, and what else is known in an order that stays', () => {
  const facts = {
    hint: 'h',
    exitCode: 3,
    code: 'C',
    durationMs: 5,
    state: 'held',
    attempt: 2,
    kind: 'k',
    taskId: 7,
  };
  expect(messageAsJson(message({ facts, details: 'last words', causes: ['why'] }), origin)).toBe(
    '{"time":"2026-11-28T02:30:09.041Z","level":"warning","message":"look","command":"tasks show","runId":"the-run",' +
      '"taskId":7,"kind":"k","attempt":2,"state":"held","durationMs":5,"code":"C","exitCode":3,"hint":"h",' +
      '"details":"last words","causes":["why"]}',
  );
  expect(Object.keys(JSON.parse(messageAsJson(message(), { ...origin, command: undefined })))).toEqual([
    ...['time', 'level', 'message', 'runId'],
  ]);
});

it.each([
  { what: 'line feeds', text: 'one\ntwo\r\nthree\rfour' },
  { what: 'other line separators', text: 'one\u2028two\u2029three\u0085four' },
  { what: 'orders to a terminal', text: '\u001b[31mred\u001b[0m \u009b2J \u0007' },
  { what: 'NUL and DEL', text: 'a\u0000b\u007fc' },
  { what: 'quotes and backslashes', text: String.raw`"{\n}" \u0000` },
])('a message with $what is one line as JSON, and whole when it is read', ({ text }) => {
  const line = messageAsJson(message({ text }), origin);
  expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
  expect(JSON.parse(line)).toMatchObject({ message: text });
});

it('half of a surrogate pair is JSON that every reader takes', () => {
  const line = messageAsJson(message({ text: 'cut \ud83d' }), origin);
  expect(line.isWellFormed()).toBe(true);
  expect(JSON.parse(line)).toHaveProperty('message', 'cut \ud83d');
});

it('an error as text is followed by a tool’s last words, the hint and the causes, or by nothing where the result has them', () => {
  const error = message({
    ...{ level: 'error', text: 'it failed', details: 'one\ntwo', facts: { hint: 'try again' } },
    causes: ['caused by: rain'],
  });
  expect(messageAsText(error)).toEqual([
    ...['tend: it failed', '    one\n    two', 'hint: try again', 'caused by: rain'],
  ]);
  expect(messageAsText(error, { isBrief: true })).toEqual(['tend: it failed']);
});

it('lines for the system log are split, without empty ones and without orders to a terminal', () => {
  expect(linesWithoutControls(['one\ntwo\r\n\n  \nthree\u2028four', '\u001b[1mfive\u0000\tsix'])).toEqual([
    ...['one', 'two', 'three', 'four', String.raw`\u001b[1mfive\u0000` + '\tsix'],
  ]);
});
