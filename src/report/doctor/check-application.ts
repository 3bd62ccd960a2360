import { findAppProblem } from '../../app/find-app-problem.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** What tend restarts it can check, and the application is healthy now. */
export const checkApplication: DoctorCheck = {
  name: 'app',
  needs: 'configuration',
  async run(facts) {
    const { config, baseDirectory } = facts.loadedConfig;
    const { check, restart } = config.app;
    if (check === undefined) {
      if (restart === undefined) return { status: 'ok', text: 'no application is configured' };
      return {
        status: 'warn',
        text: 'the application is restarted here and never checked: a change that breaks it is not undone',
        fix: '[app] check = { url = "http://127.0.0.1:8000/health" } in tend.toml',
      };
    }
    const problem = await findAppProblem({ ...facts, check, baseDirectory });
    if (problem === undefined) return { status: 'ok', text: 'the application is healthy' };
    const fix = restart === undefined ? 'Look at its log, then: tend app check' : 'tend app restart';
    return { status: 'fail', text: problem.message, fix };
  },
};
