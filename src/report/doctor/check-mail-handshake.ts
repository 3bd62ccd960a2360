import { findServerProblems } from '../../mail/servers/find-server-problems.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** Every mail server of tend.toml lets us in, from this host: connection, TLS and password. Sends nothing. */
export const checkMailHandshake: DoctorCheck = {
  name: 'mail-handshake',
  needs: 'configuration',
  async run(facts) {
    const { config, baseDirectory } = facts.loadedConfig;
    if (config.mail.url === undefined) return { status: 'ok', text: 'no mail server is configured' };
    const problems = await findServerProblems({ ...facts, config, baseDirectory });
    const bad = [...problems].flatMap(([name, error]) => (error === undefined ? [] : [{ name, error }]));
    const [first] = bad;
    if (first === undefined)
      return {
        status: 'ok',
        text: `let in by ${[...problems.keys()].map((name) => `"${name}"`).join(', ')}`,
      };
    return {
      status: 'fail',
      text: bad.map(({ name, error }) => `"${name}": ${error.message}`).join('; '),
      fix:
        first.error.hint ??
        'Correct [mail] in tend.toml, then: tend send-mail --dry-run --to ADDRESS --subject x --text x',
    };
  },
};
