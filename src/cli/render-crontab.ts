import { resolve } from 'node:path';
import type { LoadedConfig } from '../config/load-config.ts';
import { systemCrontabLines, userCrontabLines } from '../crontab/cron-lines.ts';
import { kubernetesCronJob } from '../crontab/kubernetes-cron-job.ts';
import { systemdUnits } from '../crontab/systemd-units.ts';
import type { TickCall } from '../crontab/tick-call.ts';
import type { CommandOutcome } from './command-context.ts';

export interface RenderCrontabOptions {
  call: TickCall;
  flags: { user: boolean; systemd: boolean; kubernetes: boolean; image?: string | undefined };
  loadedConfig: LoadedConfig;
}

interface Printed {
  form: 'cron.d' | 'user' | 'systemd' | 'kubernetes';
  /** `path` is where the text belongs; null where tend cannot say. */
  files: { path: string | null; text: string }[];
  commands: string[];
}

/** What `crontab` prints: one text, or several files each under a comment that says where it belongs. */
export function renderCrontab(options: RenderCrontabOptions): CommandOutcome {
  const { form, files, commands } = textsOf(options);
  return {
    result: { form, files, commands },
    render(output) {
      for (const { path, text } of files) {
        if (files.length > 1 && path !== null) output.print(`# ${path}`);
        output.print(files.length > 1 ? text : text.trimEnd());
      }
      for (const command of commands) output.print(`# ${command}`);
    },
  };
}

function textsOf({ call, flags, loadedConfig }: RenderCrontabOptions): Printed {
  if (flags.systemd) {
    const { units, commands } = systemdUnits(call);
    return { form: 'systemd', files: units, commands };
  }
  if (flags.kubernetes) {
    const { config, baseDirectory } = loadedConfig;
    const { directory } = config.backup;
    const text = kubernetesCronJob(call, {
      image: flags.image,
      backupDirectory: directory === undefined ? undefined : resolve(baseDirectory, directory),
    });
    return { form: 'kubernetes', files: [{ path: null, text }], commands: [] };
  }
  const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  if (flags.user) {
    const files = [{ path: null, text: text(userCrontabLines(call, { above: [] })) }];
    return { form: 'user', files, commands: [] };
  }
  const comment = '# Owned by root, mode 644, no dot in the name of this file: or cron ignores it.';
  const files = [{ path: `/etc/cron.d/${call.name}`, text: text([comment, ...systemCrontabLines(call)]) }];
  return { form: 'cron.d', files, commands: [] };
}
