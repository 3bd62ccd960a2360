import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/free-port.ts';
import { postfixProgram } from '../support/postfix.ts';
import type { Bench, BenchDatabase } from './bench.ts';
import { measureProgram, type Program, type ProgramCost } from './measure-program.ts';
import { tend } from './programs.ts';
import { type BenchResult, countClaim, type Measurement, ratioClaim } from './results.ts';
import { compare } from './statistics.ts';

const messages = 5000;
const rounds = 5;
const oldDeliveries = 1_000_000;
const attachmentBytes = 100_000;
const withAttachment = 1000;
const poolScript = fileURLToPath(new URL('peers/nodemailer-pool.mjs', import.meta.url));

const text = `repeat(repeat('Lorem ipsum dolor sit amet, consectetur. ', 2) || E'\\n', 24)`;

/** How fast a queue of mail is drained, beside nodemailer's own pool that remembers nothing. */
export async function mail(bench: Bench): Promise<BenchResult> {
  await using sink = await startSink();
  const database = await bench.createDatabase('mail', { isMigrated: true });
  await configure(database, sink.port);
  const drain = tend(bench, database, 'run-due-tasks', '--drain');
  const pool = (form: string): Program => ({
    ...drain,
    args: [poolScript, String(sink.port), String(messages), form],
  });
  const sides = { tend: costs(), fields: costs(), raw: costs() };
  for (let round = 0; round < Math.min(rounds, bench.pairs); round++) {
    await clear(database);
    await fill(database);
    add(sides.tend, await measureProgram(drain));
    add(sides.fields, await measureProgram(pool('fields')));
    add(sides.raw, await measureProgram(pool('raw')));
  }
  const kept = await count(
    database,
    `select count(*) from tend.deliveries where state = 'sent' and task_id is not null`,
  );
  const full = costs();
  const empty = costs();
  for (let round = 0; round < Math.min(3, bench.pairs); round++) {
    await clear(database);
    await fill(database);
    add(empty, await measureProgram(drain));
    await addOldDeliveries(database);
    await fill(database);
    add(full, await measureProgram(drain));
  }
  await clear(database);
  const large = await drainAttachments(database, drain);
  return {
    title: 'Mail',
    method: `${messages} tasks of kind \`send-mail\` with a text of 2 kB are drained by \`tend run-due-tasks --drain\` into Postfix’s smtp-sink on this host over 5 connections: each is composed, kept, marked before its end leaves, recorded with the server’s reply, and has its attempt on record. Beside it a program of ten lines sends as many messages through nodemailer’s pool of 5 connections, from the same fields (it composes them as well), and from bytes composed before; it remembers nothing. Whole processes in turn, ${rounds} rounds; PostgreSQL’s default durability. Then the same drain with ${oldDeliveries.toLocaleString('en-US')} old deliveries in the table, and ${withAttachment} messages with an attachment of ${attachmentBytes / 1000} kB.`,
    claims: [
      ratioClaim(
        'messages a second, tend ÷ nodemailer’s pool, from fields',
        'at least 0.5',
        compare(sides.fields.wall, sides.tend.wall),
      ),
      ratioClaim(
        'messages a second, tend ÷ nodemailer’s pool, from bytes',
        'none',
        compare(sides.raw.wall, sides.tend.wall),
      ),
      ratioClaim('wall with old deliveries ÷ without', 'at most 1.15', compare(full.wall, empty.wall)),
      {
        what: 'peak RSS with attachments, MiB',
        bound: 'at most 150',
        measured: large.peakMiB,
        ofMinima: undefined,
      },
      countClaim('deliveries on record after a drain', messages, kept),
    ],
    measurements: [
      line('`tend run-due-tasks --drain`', sides.tend),
      line('nodemailer’s pool, from fields', sides.fields),
      line('nodemailer’s pool, from bytes', sides.raw),
      line('tend, empty table', empty),
      line('tend, with old deliveries', full),
    ],
  };
}

interface Costs {
  wall: number[];
  cpu: number[];
  peak: number[];
}

function costs(): Costs {
  return { wall: [], cpu: [], peak: [] };
}

function add(side: Costs, { wallMs, cpuMs, peakMiB }: ProgramCost): void {
  side.wall.push(wallMs);
  side.cpu.push(cpuMs);
  side.peak.push(peakMiB);
}

function line(subject: string, { wall, cpu, peak }: Costs): Measurement {
  return { subject, columns: { 'wall ms': wall, 'CPU ms': cpu, 'peak RSS MiB': peak } };
}

async function configure({ directory }: BenchDatabase, port: number): Promise<void> {
  const file = join(directory, 'tend.toml');
  const settings = await readFile(file, 'utf8');
  await writeFile(
    file,
    `${settings}\n[mail]\nurl = "smtp://127.0.0.1:${port}?tls=off"\nfrom = "CMS <cms@example.org>"\nattachments_from = ["."]\n`,
  );
  await writeFile(join(directory, 'attachment.bin'), Buffer.alloc(attachmentBytes, 'attachment '));
}

async function clear({ client }: BenchDatabase): Promise<void> {
  await client.query('truncate tend.tasks cascade');
  await client.query('truncate tend.deliveries, tend.attempts');
}

async function fill({ client }: BenchDatabase): Promise<void> {
  await client.query('truncate tend.attempts; delete from tend.tasks');
  await client.query(
    `select count(tend.enqueue('send-mail', jsonb_build_object(
              'to', 'user' || n || '@x.test', 'subject', 'No. ' || n, 'text', ${text})))
       from generate_series(1, ${messages}) n`,
  );
  await client.query('analyze tend.tasks, tend.deliveries');
  await client.query('checkpoint');
}

async function addOldDeliveries({ client }: BenchDatabase): Promise<void> {
  await client.query(
    `insert into tend.deliveries (message_id, envelope_from, recipients, raw, state, finished_at)
     select '<old' || n || '@example.org>', 'cms@example.org',
            '[{"address": "ann@x.test", "status": "accepted"}]', 'x', 'sent', now() from generate_series(1, ${oldDeliveries}) n
     on conflict do nothing`,
  );
  await client.query('vacuum analyze tend.deliveries');
}

async function drainAttachments(database: BenchDatabase, drain: Program): Promise<ProgramCost> {
  await database.client.query(
    `select count(tend.enqueue('send-mail', jsonb_build_object('to', 'user' || n || '@x.test', 'subject', 'File',
              'text', 'Attached.', 'attachments', '[{"path": "attachment.bin"}]'::jsonb)))
       from generate_series(1, ${withAttachment}) n`,
  );
  return await measureProgram(drain);
}

async function count({ client }: BenchDatabase, statement: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(statement);
  return Number(rows[0]?.count);
}

/** Postfix's sink: it answers at once and throws everything away. */
async function startSink(): Promise<AsyncDisposable & { port: number }> {
  const program = postfixProgram('smtp-sink');
  if (program === undefined) throw new Error('smtp-sink of Postfix is needed, and cannot be fetched.');
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const child: ChildProcess = spawn(program.path, [...user, `127.0.0.1:${port}`, '100'], {
    env: program.env,
    stdio: 'ignore',
  });
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`smtp-sink ended with ${child.exitCode}.`);
    await sleep(20);
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
