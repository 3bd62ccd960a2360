import { expect, test } from 'vitest';
import { parseSetting } from '../../../src/backups/cut-over/copy-database-properties.ts';

test.each([
  { setting: 'work_mem=8MB', name: 'work_mem', values: ['8MB'] },
  { setting: 'app.url=a=b, c', name: 'app.url', values: ['a=b, c'] },
  { setting: 'search_path="$user", public', name: 'search_path', values: ['$user', 'public'] },
  { setting: 'search_path="Odd ""name""", "a, b"', name: 'search_path', values: ['Odd "name"', 'a, b'] },
  { setting: 'search_path=""', name: 'search_path', values: [''] },
])('the stored setting $setting is read', ({ setting, name, values }) => {
  expect(parseSetting(setting)).toEqual({ name, values });
});
