import { sql } from 'kysely';
import { countOf } from '../../count-of.ts';
import { formatDuration } from '../../duration.ts';
import type { DoctorCheck } from './doctor-check.ts';

interface FailingServer {
  name: string;
  failures: number;
  forMs: number;
  reason: string | null;
  failureClass: 'server' | 'configuration';
}

/** No mail server has failed when the ticks tried it last. */
export const checkMailServers: DoctorCheck = {
  name: 'mail-servers',
  needs: 'identity',
  async run({ openDatabase, loadedConfig }) {
    const { rows } = await sql<FailingServer>`
      select name, failures, round(extract(epoch from now() - failing_since) * 1000)::float8 as "forMs", reason,
             failure_class as "failureClass"
        from tend.mail_servers where failing_since is not null order by failing_since`.execute(
      await openDatabase(),
    );
    // One that was taken out of tend.toml fails for ever.
    const { url, servers } = loadedConfig.config.mail;
    const failing = rows.filter(({ name }) => name in servers || (name === 'default' && url !== undefined));
    const [first] = failing;
    if (first === undefined) return { status: 'ok', text: 'none has failed when it was tried last' };
    return {
      status: failing.some(({ failureClass }) => failureClass === 'configuration') ? 'fail' : 'warn',
      text: failing
        .map(
          ({ name, forMs, failures, reason }) =>
            `"${name}" fails for ${formatDuration(forMs)} (${countOf(failures, 'time')}): ${reason ?? 'no reason is known'}`,
        )
        .join('; '),
      fix:
        first.failureClass === 'configuration'
          ? 'Correct [mail] in tend.toml: the next tick tries it at once'
          : 'Look at that server; the ticks try it again by themselves: tend tasks --kind send-mail',
    };
  },
};
