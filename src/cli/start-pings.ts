import type { Config } from '../config/schema.ts';
import type { Log } from '../log.ts';
import type { RunPings } from '../monitoring/open-run-pings.ts';
import type { SecretRegistry } from '../redact.ts';
import type { MessageWriter } from './message-writer.ts';

export interface StartPingsOptions {
  commandId: string;
  config: Config;
  env: NodeJS.ProcessEnv;
  log: Log;
  secrets: SecretRegistry;
  /** Its run id is made when a ping asks for it: not every tick has one. */
  writer: Pick<MessageWriter, 'runId'>;
}

/**
 * Begins the pings of this run, where `[monitor]` has an address for its command; nothing is loaded where it has none.
 * An address that cannot be read is a warning: no chore is left undone because of its monitoring.
 */
export async function startPings(options: StartPingsOptions): Promise<RunPings | undefined> {
  const { commandId, config, env, log, secrets, writer } = options;
  const found = pingSetting(commandId, config.monitor);
  if (found === undefined) return undefined;
  const [{ openRunPings }, { resolveReference }] = await Promise.all([
    import('../monitoring/open-run-pings.ts'),
    import('../config/resolve-reference.ts'),
  ]);
  try {
    const url = resolveReference({ ...found, env, secrets });
    secrets.add(url);
    if (/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
      return openRunPings({ url, runId: writer.runId, log, secrets });
    log.warn(`${found.key} is no URL of the form https://host/path: no ping is sent`);
  } catch (error) {
    log.warn(`No ping is sent: ${error instanceof Error ? error.message : String(error)}`);
  }
  return undefined;
}

function pingSetting(
  commandId: string,
  monitor: Config['monitor'],
): { key: string; value: string } | undefined {
  const settings: Record<string, [key: string, value: string | undefined]> = {
    'run-due-tasks': ['monitor.ping_url', monitor.ping_url],
    backup: ['monitor.pings.backup', monitor.pings.backup],
    'backup verify': ['monitor.pings.verify', monitor.pings.verify],
    restore: ['monitor.pings.restore', monitor.pings.restore],
    'compile-translations': ['monitor.pings.compile-translations', monitor.pings['compile-translations']],
  };
  const [key, value] = settings[commandId] ?? [];
  return key === undefined || value === undefined ? undefined : { key, value };
}
