import { dirname } from 'node:path';
import { type TickCall, tickWords } from './tick-call.ts';

/** A file to be written under /etc/systemd/system. */
export interface SystemdUnit {
  path: string;
  text: string;
}

export interface SystemdUnits {
  units: SystemdUnit[];
  /** What switches them on, as root. */
  commands: string[];
}

/**
 * A service that ticks and the timer that starts it, each a template: a timer does not start a unit that still runs, so
 * there are three, which tick at second 00, 20 and 40. Why each line stands there: docs/operations.md.
 */
export function systemdUnits(call: TickCall): SystemdUnits {
  const unit = `${call.name}-tend@`;
  const timers = ['00', '20', '40'].map((second) => `${unit}${second}.timer`);
  return {
    units: [
      { path: `/etc/systemd/system/${unit}.service`, text: serviceText(call) },
      { path: `/etc/systemd/system/${unit}.timer`, text: timerText(call) },
    ],
    commands: ['systemctl daemon-reload', `systemctl enable --now ${timers.join(' ')}`],
  };
}

function serviceText(call: TickCall): string {
  const { name, user, configPath, searchPath, writablePaths } = call;
  return `\
[Unit]
Description=Due tasks of ${name}, at second %i
Wants=network-online.target
After=network-online.target postgresql.service

[Service]
Type=oneshot
${user === undefined ? '' : `User=${user}\n`}\
WorkingDirectory=${specifiers(dirname(configPath))}
Environment=${unitWord(`PATH=${searchPath}`)}
ExecStart=${tickWords(call).map(commandWord).join(' ')}
# Busy, and stopped by systemctl: not failures.
SuccessExitStatus=75 143
# SIGTERM to tend alone, which stops its children and notes how they ended; what is left after it, or then, is killed.
KillMode=mixed
TimeoutStopSec=31min
# A child killed for want of memory is a failed attempt, not the end of the tick.
OOMPolicy=continue
# Without these two, "Starting" and "Finished" 4320 times a day.
SyslogLevel=warning
LogLevelMax=notice

UMask=0027
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
# Each must exist. Add what else tasks write to.
ReadWritePaths=${writablePaths.map(unitWord).join(' ')}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
`;
}

function timerText({ name }: TickCall): string {
  return `\
[Unit]
Description=Due tasks of ${name}, at second %i

[Timer]
OnCalendar=*:*:%i
AccuracySec=1s
Persistent=true

[Install]
WantedBy=timers.target
`;
}

/** systemd.unit(5): `%` begins a specifier. */
function specifiers(text: string): string {
  return text.replaceAll('%', '%%');
}

/** systemd.syntax(7): a word in double quotes has C's escapes. */
function unitWord(text: string): string {
  const word = specifiers(text);
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `"${word.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** systemd.service(5), "Command lines": `$` begins a variable there. */
function commandWord(text: string): string {
  return unitWord(text.replaceAll('$', '$$$$'));
}
