import { cronEnvironment } from '../../crontab/cron-environment.ts';
import { type Account, findAccount } from '../../crontab/find-account.ts';
import type { TickLine } from '../../crontab/find-tick-lines.ts';
import { configOfTick, probeCommand } from '../../crontab/probe-command.ts';
import { type ProbedLine, probeTickLine } from '../../crontab/probe-tick-line.ts';
import { formatDuration } from '../../duration.ts';
import { shellWord } from '../../shell-word.ts';
import { findSurroundings } from '../find-surroundings.ts';
import { readSurroundings } from '../read-surroundings.ts';
import { type CronTrouble, compareSurroundings } from './compare-surroundings.ts';
import type { DoctorFacts } from './doctor-check.ts';
import { findMissingPgDump } from './find-missing-pg-dump.ts';

/** A tick that takes so long to begin would not be done within its minute. */
const timeoutMs = 20_000;

interface Trial {
  facts: DoctorFacts;
  line: TickLine;
  /** What the shell is given in place of the tick. */
  command: string;
  cronEnv: Record<string, string>;
}

/** Runs a line of a crontab as cron would, without a tick, and says what it lacks. */
export async function tryTickLine(facts: DoctorFacts, line: TickLine): Promise<CronTrouble[]> {
  const { osUser } = facts.program;
  const account = findAccount(line.user);
  if (account === undefined) return [{ ...unknownUser(line), fix: reinstall(line) }];
  const isOwn = line.user === osUser;
  const config = configOfTick(line.entry.command);
  const words = ['config', 'validate', '--environment', '--json'];
  const command = probeCommand(
    line.entry.command,
    config === undefined ? words : [...words, '--config', config],
  );
  const { settings } = line.entry;
  const cronEnv = cronEnvironment({ user: line.user, home: account.home, settings });
  if (command === undefined) return [notTried({ facts, line, command: line.entry.command, cronEnv })];
  const trial = { facts, line, command, cronEnv };
  const found = await troublesOf(trial, isOwn || osUser !== 'root' ? undefined : account);
  if (isOwn || osUser === 'root') return found;
  return found.map(({ text }) => ({
    ...{ status: 'warn', text: `as "${osUser}", and cron runs it as "${line.user}": ${text}` },
    fix: `sudo -u ${line.user} tend doctor`,
  }));
}

async function troublesOf(trial: Trial, account: Account | undefined): Promise<CronTrouble[]> {
  const { facts, line, command, cronEnv } = trial;
  const { secrets, signal, env, loadedConfig } = facts;
  const probed = await probeTickLine({ command, env: cronEnv, account, secrets, signal, timeoutMs });
  if (probed.state !== 'answered') return [troubleOf(trial, probed)];
  const there = readSurroundings(probed.answer);
  if (there === undefined)
    return [{ status: 'fail', text: 'it calls another version of tend', fix: reinstall(line) }];
  return [
    ...compareSurroundings({
      ...{ here: await findSurroundings(facts), there, env, cronEnv },
      overlays: [...loadedConfig.overlays.values()].filter((by) => by.startsWith('TEND_')),
      placeOfSettings: placeOfSettings(line),
    }),
    ...(await findMissingPgDump(facts, there.searchPath)),
  ];
}

function troubleOf(trial: Trial, probed: Exclude<ProbedLine, { state: 'answered' }>): CronTrouble {
  const fix = reinstall(trial.line);
  switch (probed.state) {
    case 'timed-out':
      return {
        ...{ status: 'fail', text: `it did not answer within ${formatDuration(timeoutMs)}` },
        fix: asCron(trial),
      };
    case 'no-program':
      return { status: 'fail', text: probed.said, fix };
    default: {
      const { code, message, hint } = probed;
      const [, unreadable] = /"(.+)" cannot be read: EACCES/.exec(message) ?? [];
      if (unreadable !== undefined)
        return {
          status: 'fail',
          text: message,
          fix: `chown ${shellWord(trial.line.user)} ${shellWord(unreadable)}`,
        };
      const isOfLine = code === 'CONFIG_NOT_FOUND' || code === 'USAGE';
      return { status: 'fail', text: message, fix: isOfLine ? fix : (hint ?? asCron(trial)) };
    }
  }
}

function notTried(trial: Trial): CronTrouble {
  return {
    ...{ status: 'warn', text: 'it is more than a call of tend, and was not tried' },
    fix: `With "config validate --environment" in place of "run-due-tasks": ${asCron(trial)}`,
  };
}

function unknownUser({ user }: TickLine): Omit<CronTrouble, 'fix'> {
  return { status: 'fail', text: `cron knows no user "${user}"` };
}

/** Writes the line anew: what calls tend here is right for here. */
function reinstall({ file, user, isInstalled, entry, place }: TickLine): string {
  const install = 'tend crontab install';
  if (file !== undefined) {
    const which = `${install} --file ${shellWord(file)} --run-as ${shellWord(user)}`;
    return isInstalled ? which : `${which}, and remove line ${entry.line + 1} of ${file}`;
  }
  return isInstalled || place.startsWith('the line')
    ? install
    : `${install}, and remove line ${entry.line + 1} of ${place}`;
}

/** A file of /etc/cron.d can be read by everybody, unless it is made otherwise. */
function placeOfSettings({ file, place }: TickLine): string {
  if (file !== undefined) return `chmod 600 ${shellWord(file)}, and in it above the tick`;
  const begin = place.startsWith('the line') ? 'tend crontab install, then ' : '';
  return `${begin}crontab -e, in a line above the tick`;
}

/** For a person to see what happens. */
function asCron({ facts, line, command, cronEnv }: Trial): string {
  const words = Object.entries(cronEnv)
    .filter(([name]) => /^(HOME|LOGNAME|PATH|SHELL)$/.test(name))
    .map(([name, value]) => `${name}=${shellWord(value)}`);
  const become = line.user === facts.program.osUser ? '' : `sudo -u ${shellWord(line.user)} `;
  return `cd ${shellWord(cronEnv['HOME'] ?? '/')} && ${become}env -i ${words.join(' ')} ${shellWord(cronEnv['SHELL'] ?? '/bin/sh')} -c ${shellWord(command)}`;
}
