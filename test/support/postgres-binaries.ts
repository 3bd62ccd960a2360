import { findPostgresBinaries as find } from '../../src/quickstart/find-postgres-binaries.ts';

/** The directory that holds PostgreSQL's server and client programs, found as `quickstart` finds it. */
export function findPostgresBinaries(): string {
  return find({ searchPath: process.env.PATH });
}
