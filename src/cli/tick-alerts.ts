import type { Config } from '../config/schema.ts';
import type { TickDatabase } from '../tasks/begin-tick.ts';
import type { TickAlerts } from '../tasks/run-tick.ts';

/** Whom a tick tells of what broke or works again; undefined where `[monitor] mail_to` names nobody. */
export function tickAlerts(options: {
  openDatabase: TickDatabase['openDatabase'];
  monitor: Config['monitor'];
}): TickAlerts | undefined {
  const to = [options.monitor.mail_to ?? []].flat();
  if (to.length === 0) return undefined;
  return {
    async tell() {
      const [{ tellAlerts }, { alertKeyPrefix }] = await Promise.all([
        import('../monitoring/tell-alerts.ts'),
        import('../tasks/note-outcomes.ts'),
      ]);
      return await tellAlerts({ db: await options.openDatabase(), to, keyPrefix: alertKeyPrefix });
    },
  };
}
