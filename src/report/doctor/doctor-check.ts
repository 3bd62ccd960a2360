import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import type { ConnectionSettings } from '../../connection/settings.ts';
import type { Database } from '../../database/tables.ts';
import type { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { SecretRegistry } from '../../redact.ts';

/** `warn`: look at it; `fail`: something does not work. */
export type FindingStatus = 'ok' | 'warn' | 'fail';

/** What one check says. */
export interface Finding {
  status: FindingStatus;
  /** What is, with the names in it; one line. */
  text: string;
  /** The command or setting that puts it right. */
  fix?: string | undefined;
}

/** What the checks look at. Nothing is connected before one asks. */
export interface DoctorFacts {
  loadedConfig: LoadedConfig;
  /** Why the configuration cannot be read. */
  configError: TendError | undefined;
  /** How this program was called, and by whom: what a line of a crontab would call. */
  program: { node: string; entry: string; osUser: string | undefined };
  /** The name of this host in the queue. */
  host: string;
  env: NodeJS.ProcessEnv;
  clock: Clock;
  signal: AbortSignal;
  secrets: SecretRegistry;
  log: Log;
  /** DNS servers to ask, as `address:port`; those of the system unless told. */
  dnsServers?: readonly string[];
  connection(): Promise<ConnectionSettings>;
  openDatabase(): Promise<Kysely<Database>>;
}

/** One thing that can be wrong with an installation. */
export interface DoctorCheck {
  /** Part of the JSON contract: never renamed. */
  name: string;
  /** The check without whose success this one cannot be made; it is left out then. */
  needs?: string;
  /** Changes nothing. A TendError it throws is its finding. */
  run(facts: DoctorFacts): Promise<Finding>;
}
