/**
 * The version of schema `tend` this program works with, which `tend.meta.schema_version` holds: the number of
 * migrations. It stands alone so that a tick can compare it without loading them.
 */
export const schemaVersion = 6;
