import { testRun } from './test-run.ts';

// Before any test file: temporary files go where the end of the run looks for them, PG* and DATABASE_URL of the
// person who runs the tests mean nothing here, and oclif does not look for a TypeScript loader. Programs that tests start
// from the sources compile them once.
const run = testRun();
process.env.TMPDIR = run.temporaryDirectory;
process.env.TEND_TEST_RUN = run.id;
process.env.NODE_COMPILE_CACHE = run.cacheDirectory;
delete process.env.NODE_ENV;
for (const name of Object.keys(process.env)) {
  if (/^(PG[A-Z]+|(TEND_)?DATABASE_URL|TEND_CONFIG)$/.test(name)) delete process.env[name];
}
