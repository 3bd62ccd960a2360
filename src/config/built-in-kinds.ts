/**
 * The kinds of task that tend brings along. They stand here, apart from their handlers, because `[tasks.kinds.NAME]`
 * may take none of these names: it would change what a backup does without a word.
 */
export const builtInKindNames: readonly string[] = [
  'backup',
  'verify-backup',
  'push-backup',
  'prune',
  'restore',
  'compile-translations',
  'send-mail',
  'restart-app',
  'check-app',
  'http',
  'noop',
];
