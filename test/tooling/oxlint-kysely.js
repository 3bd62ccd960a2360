// A rule of our own for oxlint: a query that is built and dropped. Kysely's builders are not thenable, so neither
// no-floating-promises nor no-unused-expressions sees a forgotten `.execute()`, which silently does nothing.

const starts = new Set([
  'selectFrom',
  'insertInto',
  'updateTable',
  'deleteFrom',
  'mergeInto',
  'replaceInto',
  'with',
  'withRecursive',
]);
const ends = /^(execute|executeTakeFirst|executeTakeFirstOrThrow|stream|explain|compile)$/;

/** The names called in a chain `a.b().c().d()`, from the outermost: ['d', 'c', 'b']. */
function calledNames(expression) {
  const names = [];
  let node = expression;
  while (node.type === 'CallExpression' && node.callee.type === 'MemberExpression') {
    names.push(node.callee.property.name);
    node = node.callee.object;
  }
  return names;
}

const noDroppedQuery = {
  create(context) {
    return {
      ExpressionStatement(node) {
        const names = calledNames(node.expression);
        if (!names.some((name) => starts.has(name)) || ends.test(names[0])) return;
        context.report({ node, message: 'This query is built and never executed: .execute() is missing.' });
      },
    };
  },
};

export default { meta: { name: 'tend' }, rules: { 'no-dropped-query': noDroppedQuery } };
