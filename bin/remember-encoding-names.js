import { readFile } from 'node:fs/promises';

const loading = "var iconvLite = require('iconv-lite');";
const uses = /\biconvLite\.(?=(?:de|en)code\()/g;
const naming = 'function checkEncoding(name) {';

/**
 * For esbuild: `encoding`, through which gettext-parser passes every string of a .mo file, works out what a charset's
 * name is in capitals once for each name, not four times for each message (half of the time that reading takes), and
 * loads its tables when there is something to convert. It answers as before.
 */
export const rememberEncodingNames = {
  name: 'remember-encoding-names',
  setup(plugin) {
    plugin.onLoad({ filter: /[\\/]encoding[\\/]lib[\\/]encoding\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      if (!source.includes(loading) || !source.includes(naming) || !uses.test(source)) {
        throw new Error(`${path} is not what remember-encoding-names.js expects.`);
      }
      const contents = `${source
        .replace(loading, "var iconvLite; const loadIconvLite = () => (iconvLite ??= require('iconv-lite'));")
        .replace(uses, 'loadIconvLite().')
        .replace(naming, 'function workOutEncoding(name) {')}
        const encodings = new Map();
        function checkEncoding(name) {
          let known = encodings.get(name);
          if (known === undefined) encodings.set(name, (known = workOutEncoding(name)));
          return known;
        }`;
      return { contents, loader: 'js' };
    });
  },
};
