import type { Clock } from '../clock.ts';
import type { DemoShell } from './demo-shell.ts';
import type { OccupiedPlace } from './occupy-place.ts';
import type { QuickstartPlaces } from './quickstart-places.ts';
import type { ServerUser } from './server-user.ts';
import type { Transcript } from './transcript.ts';

export interface RunQuickstartOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Our own user id; undefined where the platform has none. */
  uid: number | undefined;
  pid: number;
  /** The program that is this tend, with its first arguments: `[node, '…/bin/run.js']`. */
  tend: readonly [string, ...string[]];
  /** Whether server, demo site and results stay for a person to play with. */
  afterwards: 'keep' | 'remove';
  clock: Clock;
  transcript: Transcript;
  signal: AbortSignal;
}

/** What the steps of one quickstart share. */
export interface QuickstartWork extends RunQuickstartOptions {
  places: QuickstartPlaces;
  user: ServerUser | undefined;
  /** Directory of PostgreSQL's programs. */
  binaries: string;
  place: OccupiedPlace;
  shell: DemoShell;
}
