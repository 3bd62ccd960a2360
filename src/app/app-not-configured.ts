import { TendError } from '../errors.ts';

const examples = {
  restart: 'restart = ["systemctl", "restart", "cms"]',
  check: 'check = { url = "http://127.0.0.1:8000/health" }',
};

/** The error of asking for what `[app]` of the configuration does not say how to do. */
export function appNotConfigured(what: keyof typeof examples): TendError {
  return new TendError(
    'APP_NOT_CONFIGURED',
    `No way to ${what} the application is configured: [app] ${what} is missing.`,
    {
      hint: `Set it in tend.toml, below [app]: ${examples[what]}`,
      isPermanent: true,
    },
  );
}
