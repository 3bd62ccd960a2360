import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findPostgresBinaries } from '../support/postgres-binaries.ts';

interface Need {
  program: string;
  package: string;
}

/** Debian's names and places; `bin/setup` has brought PostgreSQL and Node. */
const needs: Need[] = [
  { program: '/usr/bin/patroni', package: 'patroni' },
  { program: '/usr/bin/etcd', package: 'etcd-server' },
  { program: '/usr/bin/unshare', package: 'util-linux' },
  { program: '/usr/bin/setpriv', package: 'util-linux' },
  { program: '/sbin/ip', package: 'iproute2' },
];

/**
 * What keeps the test from running, for a person; undefined where nothing does. Root on Debian gets what is missing
 * installed, without any service being started.
 */
export async function requirePrograms(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'it needs Linux: its nodes live in network namespaces';
  if (process.getuid?.() !== 0) return 'it needs root, to make network namespaces: sudo npm run test:cluster';
  let missing = missingPackages();
  if (missing.length > 0 && existsSync('/usr/bin/apt-get')) {
    install(missing);
    missing = missingPackages();
  }
  if (missing.length > 0) return `something is missing: apt-get install ${missing.join(' ')}`;
  if (spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true']).status !== 0) {
    return 'it may not make namespaces here: in a container it needs to be privileged';
  }
  findPostgresBinaries();
  return undefined;
}

function missingPackages(): string[] {
  const missing = needs.filter(({ program }) => !existsSync(program)).map((need) => need.package);
  return [...new Set(missing)];
}

/** Debian starts what it installs unless told otherwise by the exit code of this very file. */
function install(packages: readonly string[]): void {
  process.stdout.write(`installing ${packages.join(', ')}\n`);
  const script = `
    set -e
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      trap 'rm -f "$policy"' EXIT
      printf '#!/bin/sh\\nexit 101\\n' >"$policy"
      chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y --no-install-recommends "$@" ||
      { apt-get update && apt-get install -y --no-install-recommends "$@"; }`;
  try {
    execFileSync('/bin/sh', ['-c', script, 'sh', ...packages], { stdio: ['ignore', 'ignore', 'inherit'] });
  } catch {
    // Then they are still missing, and that is said.
  }
}
