import { SecretRegistry } from '../redact.ts';
import { globalFlagsFromArgv } from './global-flags-from-argv.ts';
import { createMessageWriter } from './message-writer.ts';
import { systemHost } from './process-host.ts';
import { reportError } from './report-error.ts';

export interface ReportCommandLineOptions {
  error: Error;
  argv: readonly string[];
}

/** Tells of an error that was found before any command ran, in the form of every other; returns its exit code. */
export function reportCommandLine({ error, argv }: ReportCommandLineOptions): number {
  const host = systemHost();
  const flags = globalFlagsFromArgv(argv);
  const secrets = new SecretRegistry();
  const writer = createMessageWriter({ host, flags, secrets, commandId: undefined });
  return reportError({ error, host, flags, secrets, writer });
}
