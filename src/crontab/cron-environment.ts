import { readFileSync } from 'node:fs';

export interface CronEnvironmentOptions {
  user: string;
  home: string;
  /** Of the crontab, above the line. */
  settings: Readonly<Record<string, string>>;
  /** Files of PAM: whether cron's sessions read /etc/environment, and what stands there. */
  pam?: { service: string; environment: string };
}

/**
 * What cron gives to a line: HOME, LOGNAME, PATH and SHELL, and the settings of the crontab. Debian's cron reads
 * /etc/environment as well, whose values replace none of these (Debian's crontab(5), "ENVIRONMENT").
 */
export function cronEnvironment(options: CronEnvironmentOptions): Record<string, string> {
  const { user, home, settings } = options;
  const { service, environment } = options.pam ?? {
    service: '/etc/pam.d/cron',
    environment: '/etc/environment',
  };
  const ofHost = /^[^#]*\bpam_env\b/m.test(textOf(service)) ? textOf(environment) : '';
  return {
    ...readAssignments(ofHost),
    ...{ HOME: home, LOGNAME: user, PATH: '/usr/bin:/bin', SHELL: '/bin/sh' },
    ...settings,
  };
}

function readAssignments(text: string): Record<string, string> {
  const assignment = /^\s*(?:export\s+)?([A-Za-z_]\w*)=(["']?)(.*?)\2\s*$/;
  const found = text.split('\n').flatMap((line) => {
    const [, name, , value] = assignment.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(found);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
