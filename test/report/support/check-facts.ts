import type { Kysely } from 'kysely';
import { parse } from 'valibot';
import { systemClock } from '../../../src/clock.ts';
import { withoutConfig } from '../../../src/config/load-config.ts';
import { configSchema } from '../../../src/config/schema.ts';
import type { ConnectionSettings } from '../../../src/connection/settings.ts';
import type { Database } from '../../../src/database/tables.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import type { DoctorFacts, Finding } from '../../../src/report/doctor/doctor-check.ts';
import { doctorChecks } from '../../../src/report/doctor/doctor-checks.ts';
import { thisProgram } from './this-program.ts';

export interface CheckFactsOptions {
  /** As in tend.toml. */
  settings?: Record<string, unknown>;
  db?: Kysely<Database>;
  connection?: ConnectionSettings;
}

/** What a check looks at, on host web1 and with `/` as the folder of the configuration. */
export function checkFacts({ settings = {}, db, connection }: CheckFactsOptions): DoctorFacts {
  const missing = (what: string) => new Error(`no check here needs ${what}`);
  return {
    loadedConfig: { ...withoutConfig('/'), config: parse(configSchema, settings) },
    ...{ configError: undefined, secrets: new SecretRegistry(), log: silentLog },
    // oxlint-disable-next-line node/no-process-env -- PATH, for the programs that checks start
    ...{ program: thisProgram, host: 'web1', env: process.env, clock: systemClock },
    signal: new AbortController().signal,
    async connection() {
      if (connection === undefined) throw missing('a connection');
      return await Promise.resolve(connection);
    },
    async openDatabase() {
      if (db === undefined) throw missing('a database');
      return await Promise.resolve(db);
    },
  };
}

/** Makes one check of `tend doctor`. */
export async function makeCheck(name: string, facts: DoctorFacts): Promise<Finding> {
  const found = doctorChecks.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no check ${name}`);
  return await found.run(facts);
}
