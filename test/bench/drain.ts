import type { Bench, BenchDatabase } from './bench.ts';
import { countSessions, countSessionsLeft } from './count-sessions.ts';
import { createBossDatabase, createGraphileDatabase } from './install-peers.ts';
import { measureProgram, type Program } from './measure-program.ts';
import { batched, graphileWorker, pgBoss, tend } from './programs.ts';
import { type Backlog, bossBacklog, graphileBacklog, tendBacklog } from './queue-backlog.ts';
import { type BenchResult, type Claim, countClaim, ratioClaim } from './results.ts';
import { compare } from './statistics.ts';

const tasks = 20_000;
const rounds = 5;

interface Side {
  subject: string;
  idle: Program;
  drain: Program;
  backlog: Backlog;
  database: BenchDatabase;
  wall: number[];
  net: number[];
  idleSessions: number;
  drainSessions: number;
}

/** How fast one process empties a queue of trivial tasks. */
export async function drain(bench: Bench): Promise<BenchResult> {
  const sides = await openSides(bench);
  for (let round = 0; round < Math.min(rounds, bench.pairs); round++) {
    for (const side of Object.values(sides)) await drainOnce(bench, side);
  }
  const { four, many, plain, fast, boss } = sides;
  return {
    title: 'Drain',
    method: `${tasks} tasks that do nothing are enqueued through each side’s own function, the table is analysed and a checkpoint made; then one process empties the queue: \`tend run-due-tasks --drain\` (concurrency 4, its default, and 24) over one session; \`graphile-worker --once -j 24\` with a pool of 25, all else as it is by default (its default pool of 10 is slower, and it says so); the same program in its fastest setting (\`concurrentJobs\` 10, \`localQueue.size\` 500, \`completeJobBatchDelay\` 0, a pool of 11), in which it locks 500 jobs at once, for four hours should it be killed; and pg-boss, a script of ours with four loops over four sessions that fetch and complete 500 jobs at a time. Durability is PostgreSQL’s default on all sides. Afterwards none is left; tend has an attempt on record for each, pg-boss keeps the rows, graphile-worker has deleted them. “Net” leaves out what the same program takes on an empty queue. ${rounds} rounds. Sessions are counted in the server’s log.`,
    claims: [
      ...speedClaims('graphile-worker’s default', 'at least 3', four, plain),
      ...speedClaims('graphile-worker’s default, at concurrency 24', 'at least 3', many, plain),
      ...speedClaims('graphile-worker’s fastest', 'at least 0.5', four, fast),
      ...speedClaims('graphile-worker’s fastest, at concurrency 24', 'at least 0.5', many, fast),
      ...speedClaims('pg-boss', 'none', four, boss),
      countClaim('sessions an idle tick opens', 1, Math.max(four.idleSessions, many.idleSessions)),
      countClaim('sessions a drain opens', 1, Math.max(four.drainSessions, many.drainSessions)),
      countClaim('sessions left after it', 0, await countSessionsLeft(four.database)),
    ],
    measurements: [
      ...Object.values(sides).map(({ subject, wall, net }) => ({
        subject,
        columns: { 'wall ms': wall, 'net ms': net, 'tasks/s, net': net.map((ms) => (tasks / ms) * 1000) },
      })),
      ...Object.values(sides).map(({ subject, idleSessions, drainSessions }) => ({
        subject,
        columns: { 'sessions opened idle': [idleSessions], 'sessions opened in a drain': [drainSessions] },
      })),
    ],
  };
}

async function openSides(bench: Bench) {
  const ours = await bench.createDatabase('drain_tend', { isMigrated: true });
  const graphile = await createGraphileDatabase(bench, 'drain_graphile');
  const boss = await createBossDatabase(bench, 'drain_boss');
  const once = (...args: string[]) => graphileWorker(bench, graphile, '--once', ...args);
  const side = (
    subject: string,
    database: BenchDatabase,
    backlog: Backlog,
    programs: { idle: Program; drain: Program },
  ): Side => ({
    ...{ subject, database, backlog, ...programs },
    ...{ wall: [], net: [], idleSessions: 0, drainSessions: 0 },
  });
  const same = (program: Program) => ({ idle: program, drain: program });
  const drains = (...args: string[]) => ({
    idle: tend(bench, ours, 'run-due-tasks'),
    drain: tend(bench, ours, 'run-due-tasks', '--drain', ...args),
  });
  return {
    four: side('`tend run-due-tasks --drain`', ours, tendBacklog, drains()),
    plain: side(
      '`graphile-worker --once -j 24`',
      ...([graphile, graphileBacklog, same(once('-j', '24', '-m', '25'))] as const),
    ),
    many: side(
      '`tend run-due-tasks --drain --concurrency 24`',
      ...([ours, tendBacklog, drains('--concurrency', '24')] as const),
    ),
    fast: side('`graphile-worker --once`, fastest', graphile, graphileBacklog, same(once(...batched))),
    boss: side('pg-boss, 500 at a time', boss, bossBacklog, same(pgBoss(bench, boss, 'drain'))),
  };
}

async function drainOnce(bench: Bench, side: Side): Promise<void> {
  const { database, backlog } = side;
  let idleMs = 0;
  let drainMs = 0;
  const idleSessions = await countSessions(bench, database, async () => {
    idleMs = (await measureProgram(side.idle)).wallMs;
  });
  await backlog.fill(database, tasks);
  await database.client.query('checkpoint');
  const drainSessions = await countSessions(bench, database, async () => {
    drainMs = (await measureProgram(side.drain)).wallMs;
  });
  await backlog.requireDone(database, tasks);
  side.idleSessions = Math.max(side.idleSessions, idleSessions);
  side.drainSessions = Math.max(side.drainSessions, drainSessions);
  side.wall.push(drainMs);
  side.net.push(drainMs - idleMs);
}

function speedClaims(than: string, bound: Claim['bound'], ours: Side, theirs: Side): Claim[] {
  return [
    ratioClaim(`tasks a second, net, tend ÷ ${than}`, bound, compare(theirs.net, ours.net)),
    ratioClaim(`the same, whole process`, bound, compare(theirs.wall, ours.wall)),
  ];
}
