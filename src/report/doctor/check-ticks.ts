import { countOf } from '../../count-of.ts';
import { formatDuration } from '../../duration.ts';
import { findHosts, type HostState } from '../find-hosts.ts';
import type { DoctorCheck, Finding } from './doctor-check.ts';
import { findTickFix } from './find-tick-fix.ts';

const minute = 60_000;
/** As in `tend.health`. */
const lateMs = 5 * minute;
/** As for `host => '*'`: who has not ticked for so long is taken out of service. */
const goneMs = 7 * 24 * 60 * minute;

type TickingHost = HostState & { lastTickAgeMs: number };

/**
 * Every host ticks, this one included. A host that was seen first a while ago and has ticked a few times since was
 * called by hand, not by cron, however recent its last tick is.
 */
export const checkTicks: DoctorCheck = {
  name: 'ticks',
  needs: 'identity',
  async run(facts) {
    const { host, openDatabase } = facts;
    const hosts = (await findHosts(await openDatabase())).filter(hasTicked);
    const inService = hosts.filter(({ lastTickAgeMs }) => lastTickAgeMs <= goneMs);
    if (inService.length === 0) return { ...silent(hosts), fix: await findTickFix(facts, [host]) };
    const late = inService.filter(({ lastTickAgeMs }) => lastTickAgeMs > lateMs);
    if (late.length > 0) {
      const which = late.map((one) => `on host "${one.host}" for ${formatDuration(one.lastTickAgeMs)}`);
      return {
        status: 'fail',
        text: `no tick ${which.join(', ')}`,
        fix: await findTickFix(facts, late.map(nameOf)),
      };
    }
    if (!inService.some((one) => one.host === host)) {
      const text = `no tick has ever run on this host, "${host}" (${inService.map(describe).join(', ')})`;
      return { status: 'warn', text, fix: await findTickFix(facts, [host]) };
    }
    const byHand = inService.filter(isCalledByHand);
    if (byHand.length > 0) {
      const which = byHand.map(
        (one) => `host "${one.host}" has ticked ${countOf(one.ticks, 'time')} ${since(one)}`,
      );
      return {
        status: 'warn',
        text: `${which.join(', ')}: does cron call it?`,
        fix: await findTickFix(facts, byHand.map(nameOf)),
      };
    }
    return { status: 'ok', text: inService.map(describe).join(', ') };
  },
};

function nameOf({ host }: HostState): string {
  return host;
}

function hasTicked(host: HostState): host is TickingHost {
  return host.lastTickAgeMs !== null;
}

function silent(hosts: readonly TickingHost[]): Finding {
  const [latest] = hosts.toSorted((left, right) => left.lastTickAgeMs - right.lastTickAgeMs);
  const text =
    latest === undefined
      ? 'no tick has ever run'
      : `no tick for ${formatDuration(latest.lastTickAgeMs)}, the last on host "${latest.host}"`;
  return { status: 'fail', text };
}

/** How long a host has been ticking, up to its last tick. */
function servedMs({ firstSeenAt, lastTickAt }: HostState): number {
  return (lastTickAt?.getTime() ?? 0) - (firstSeenAt?.getTime() ?? 0);
}

/** Told of a host's first day only: later, a night that it was off would look the same. */
function isCalledByHand(host: TickingHost): boolean {
  const served = servedMs(host) + host.lastTickAgeMs;
  return served > 3 * lateMs && served < 24 * 60 * minute && host.ticks < served / lateMs;
}

function since(host: TickingHost): string {
  return `in ${formatDuration(servedMs(host) + host.lastTickAgeMs)}`;
}

function describe({ host, lastTickAgeMs }: TickingHost): string {
  return `${host} ${formatDuration(lastTickAgeMs)} ago`;
}
