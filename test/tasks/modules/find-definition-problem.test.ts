import * as v from 'valibot';
import { expect, it } from 'vitest';
import { defineTask } from '../../../src/index.ts';
import { findDefinitionProblem } from '../../../src/tasks/modules/find-definition-problem.ts';

const run = () => {};

class Task {
  run() {}
}

it.each([
  ['a task', { run }],
  ['one with a function for its payload', { run, payload: () => 1 }],
  ['one with a Standard Schema', { run, payload: v.object({}) }],
  [
    'one with a Standard Schema that is a function',
    { run, payload: Object.assign(() => {}, { '~standard': {} }) },
  ],
  ['one that was made', defineTask({ run })],
  ['an instance of a class', new Task()],
])('%s is a definition', (_what, exported) => {
  expect(findDefinitionProblem(exported)).toBeUndefined();
});

it.each<[string, unknown, RegExp]>([
  ['nothing', undefined, /^it has no default export$/],
  ['null', null, /^its default export is null, and an object with "run" was expected$/],
  ['a function', run, /^its default export is a function, /],
  ['a list', [run], /^its default export is a list, /],
  [
    'an object without run',
    { payload: run },
    /^"run" of its default export is missing, and a function was expected$/,
  ],
  ['a run that is none', { run: 'now' }, /^"run" of its default export is a string, /],
  [
    'a payload that is none',
    { run, payload: {} },
    /^"payload" of its default export is an object, and a function or a/,
  ],
  ['a limit of its own', { run, timeout: '10m' }, /has "timeout", and only "payload" and "run" are known/],
])('%s is none, and it is said why', (_what, exported, problem) => {
  expect(findDefinitionProblem(exported)).toMatch(problem);
});
