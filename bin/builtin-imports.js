const builtinImport = /^import (?:([\w$]+)|\* as ([\w$]+)|(\{[^}]*\})) from "(node:[\w/]+)";$/gm;

/**
 * Rewrites the imports of Node's own modules in a bundle: `import { join } from "node:path"` becomes
 * `const { join } = process.getBuiltinModule("node:path")`, which gives the same and costs less. For an import, Node
 * reads every export of the module, those too that load more when they are first read: node:util brings the worker
 * threads along, node:fs its promises. An import of another form stays as it is.
 * `import process from "node:process"` goes without replacement: it is the global, which a constant would hide from what stands before it.
 */
export function withoutBuiltinImports(code) {
  return code.replace(builtinImport, (_, whole, namespace, names, module) => {
    if (whole === 'process' && module === 'node:process') return '';
    const bound = whole ?? namespace ?? names.replaceAll(' as ', ': ');
    return `const ${bound} = process.getBuiltinModule("${module}");`;
  });
}
