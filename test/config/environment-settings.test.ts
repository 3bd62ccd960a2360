import { expect, it } from 'vitest';
import {
  listEnvironmentSettings,
  readEnvironmentSettings,
  variableOf,
} from '../../src/config/environment-settings.ts';
import { configSchema } from '../../src/config/schema.ts';

const paths = listEnvironmentSettings(configSchema);

it('lists variables that a shell can export, no two of them alike', () => {
  const variables = paths.map(variableOf);
  expect(variables.filter((variable) => !/^[A-Z_][A-Z0-9_]*$/.test(variable))).toEqual([]);
  expect(new Set(variables).size).toBe(variables.length);
  expect(variables).toContain('TEND_MONITOR_PINGS_COMPILE_TRANSLATIONS');
});

it('reads every variable that it lists, as the setting it is listed for', () => {
  const env = Object.fromEntries(paths.map((path) => [variableOf(path), '1']));
  const { settings, unknown } = readEnvironmentSettings({ env, schema: configSchema });
  expect(unknown).toEqual([]);
  const found = new Set(settings.map(({ path }) => path.join('.')));
  expect(paths.map((path) => path.join('.')).filter((path) => !found.has(path))).toEqual([]);
});

it('knows the name with the hyphen of its key as well, which env(1) and systemd can set', () => {
  const env = { 'TEND_MONITOR_PINGS_COMPILE-TRANSLATIONS': 'https://ping/x' };
  expect(readEnvironmentSettings({ env, schema: configSchema })).toEqual({
    settings: [
      {
        ...{ variable: 'TEND_MONITOR_PINGS_COMPILE-TRANSLATIONS', value: 'https://ping/x' },
        path: ['monitor', 'pings', 'compile-translations'],
      },
    ],
    unknown: [],
  });
});
