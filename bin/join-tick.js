import { dirname, join } from 'node:path';

/**
 * For esbuild: all that `entry` loads at once becomes one chunk. esbuild puts together what the same entries reach, and
 * each `import()` makes an entry, so that a tick was cut into eighteen pieces, each to be found, read and linked by
 * itself. Here what is imported later reaches `entry` as well, which is loaded by then.
 *
 * Holds for sources only, which export by name; packages that are imported later reach no source.
 */
export function joinTick(entry) {
  return {
    name: 'join-tick',
    setup(plugin) {
      plugin.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ kind, resolveDir, path }) =>
        kind === 'dynamic-import' ? { path: join(resolveDir, path), namespace: 'later' } : undefined,
      );
      plugin.onLoad({ filter: /./, namespace: 'later' }, ({ path }) => ({
        contents: `import ${JSON.stringify(entry)}; export * from ${JSON.stringify(path)};`,
        resolveDir: dirname(path),
      }));
    },
  };
}
