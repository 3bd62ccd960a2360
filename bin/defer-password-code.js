import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * For esbuild: node-postgres's code for passwords is evaluated when one of its exports is first used. By itself it
 * loads Node's crypto and web crypto with the driver, a tenth of an idle tick, also where the server trusts the
 * socket's peer and asks for no password.
 */
export const deferPasswordCode = {
  name: 'defer-password-code',
  setup(plugin) {
    plugin.onLoad({ filter: /[\\/]pg[\\/]lib[\\/]crypto[\\/]utils\.js$/ }, async ({ path }) => {
      const names = JSON.stringify(Object.keys(require(path)));
      const source = await readFile(path, 'utf8');
      const contents = `
        let loaded;
        for (const name of ${names}) {
          Object.defineProperty(exports, name, { enumerable: true, get: () => (loaded ??= load())[name] });
        }
        function load() {
          const module = { exports: {} };
          ${source}
          return module.exports;
        }`;
      return { contents, loader: 'js' };
    });
  },
};
