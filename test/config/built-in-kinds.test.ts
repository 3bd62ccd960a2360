import { expect, it } from 'vitest';
import { builtInKindNames } from '../../src/config/built-in-kinds.ts';
import { withoutConfig } from '../../src/config/load-config.ts';
import { knownKinds } from '../../src/tasks/handlers/registry.ts';

it('reserves the names of exactly the kinds that the registry brings along', () => {
  const { config } = withoutConfig('/');
  expect([...knownKinds(config).keys()].toSorted()).toEqual([...builtInKindNames].toSorted());
});
