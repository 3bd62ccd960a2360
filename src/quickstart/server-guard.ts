import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '../processes/run-tool.ts';
import { livenessFifo } from './choose-server-directory.ts';
import type { QuickstartPlaces } from './quickstart-places.ts';

/**
 * Waits for a word, or for the end of the process that holds the FIFO's other end. At a mere end it does what that
 * process can no longer do: stops the server (SIGQUIT: its data go anyway) and removes everything.
 * The shell opens the FIFO before it leaves the rest to the background, so that no end goes unnoticed.
 */
const script = `
server=$1 demo=$2 state=$3 root=$4
exec 4<"$server/${livenessFifo}" || exit 1
(
  trap '' HUP INT TERM QUIT
  read -r word <&4
  [ -z "$word" ] || exit 0
  sleep 0.5 # a server may just be starting
  pid=$(head -n 1 "$server/data/postmaster.pid")
  case $pid in
  '' | *[!0-9]*) ;; # none, or initdb's own, which died with it
  *)
    kill -QUIT "$pid"
    tries=0
    while [ -e "$server/data/postmaster.pid" ] && kill -0 "$pid" && [ $tries -lt 100 ]; do
      sleep 0.1
      tries=$((tries + 1))
    done
    [ $tries -lt 100 ] || kill -KILL "$pid"
    ;;
  esac
  rm -rf "$server" "$demo" "$state" || { sleep 1; rm -rf "$server" "$demo" "$state"; }
  rmdir "$root"
) </dev/null >/dev/null 2>&1 &`;

export interface ServerGuard {
  /** Tells the guard that it is not needed: everything is removed, or is to stay. */
  dismiss(): Promise<void>;
}

export interface StartServerGuardOptions {
  places: QuickstartPlaces;
  serverDirectory: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/**
 * Starts the guard of a server that is about to be made. It outlives this process, also one that is killed with -9,
 * then cleans up and goes; it is not in the foreground, so no Ctrl-C reaches it.
 */
export async function startServerGuard(options: StartServerGuardOptions): Promise<ServerGuard> {
  const { places, serverDirectory, env, signal } = options;
  // Read and write: such an open waits for nobody.
  const fifo = await open(join(serverDirectory, livenessFifo), 'r+');
  const args = ['-c', script, 'tend-guard', serverDirectory, places.demo, places.stateFile, places.root];
  try {
    await runTool({ file: '/bin/sh', args, cwd: '/', baseEnv: env, signal });
  } catch (error) {
    await fifo.close();
    throw error;
  }
  return {
    async dismiss() {
      await fifo.write('done\n');
      await fifo.close();
    },
  };
}
