import { endSession } from '../activity/end-session.ts';
import { type NamedSession, nameSession } from '../activity/name-session.ts';
import { translateDatabaseError } from '../database/translate-database-error.ts';
import { TendError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Asking, askYes, canAsk } from './ask-yes.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';
import { oneLine } from './format-table.ts';

export interface EndSessionsFlags {
  way: 'cancel' | 'terminate';
  pids: readonly number[];
  isYes: boolean;
  isJson: boolean;
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
}

interface EndedSession {
  pid: number;
  application: string | null;
  user: string | null;
  result: string;
  error: TendError | undefined;
}

/**
 * `tend connections cancel|terminate`: one that cannot be ended keeps none of the others from it. A single one that
 * cannot is the command's error; of several, exit 3 says that some could not, and 77 or 66 that none could.
 */
export async function endSessionsBody(
  context: CommandContext,
  flags: EndSessionsFlags,
): Promise<CommandOutcome> {
  const db = await context.openDatabase();
  const { way, isJson, input, output } = flags;
  const pids = [...new Set(flags.pids)];
  const ended: EndedSession[] = [];
  const attempt = async <T>(pid: number, named: NamedSession | undefined, work: () => Promise<T>) => {
    try {
      return await work();
    } catch (thrown) {
      const error = translateDatabaseError(thrown);
      if (error === undefined || pids.length === 1) throw thrown;
      ended.push({ pid, application: null, user: null, ...named, result: 'refused', error });
      return undefined;
    }
  };
  const sessions: NamedSession[] = [];
  for (const pid of pids) {
    const session = await attempt(pid, undefined, () => nameSession(db, pid));
    if (session !== undefined) sessions.push(session);
  }
  if (sessions.length > 0) {
    const what = way === 'cancel' ? 'Cancel the statements of' : 'Terminate';
    const question = `${what} ${sessions.length === 1 ? 'this session' : `these ${sessions.length} sessions`}?`;
    await confirm(question, sessions, {
      ...{ isAgreed: flags.isYes, mayAsk: !isJson, hasDryRun: false, input, output, signal: context.signal },
    });
  }
  for (const session of sessions) {
    const { pid, application, user } = session;
    const result = await attempt(pid, session, () => endSession({ db, session, way }));
    if (result !== undefined) ended.push({ pid, application, user, result, error: undefined });
  }
  return outcome(ended.sort((left, right) => pids.indexOf(left.pid) - pids.indexOf(right.pid)));
}

/** @throws TendError CONFIRMATION_MISSING. */
async function confirm(question: string, sessions: readonly NamedSession[], asking: Asking): Promise<void> {
  const { isAgreed, output } = asking;
  if (!isAgreed && canAsk(asking)) output.write(sessions.map((session) => `${describe(session)}\n`).join(''));
  if (await askYes(question, asking)) return;
  throw new TendError('CONFIRMATION_MISSING', `Nothing was done: the answer was no. ${question}`, {
    hint: 'Add: --yes',
    isPermanent: true,
  });
}

function describe({ pid, application, user, state }: NamedSession): string {
  return oneLine(`  ${pid}  ${application || '(no name)'}  user ${user}  ${state ?? '(hidden)'}`);
}

function outcome(ended: readonly EndedSession[]): CommandOutcome {
  const errors = ended.flatMap(({ error }) => error ?? []);
  return {
    result: {
      sessions: ended.map(({ pid, application, user, result, error }) => ({
        ...{ pid, application, user, result, error: error?.message ?? null },
      })),
    },
    exitCode: exitCodeOf(errors, ended.length),
    render(output) {
      for (const { pid, result, error } of ended) {
        if (error === undefined) output.summary(`Session ${pid} ${result}.`);
        else output.warn(error.message);
      }
    },
  };
}

function exitCodeOf(errors: readonly TendError[], count: number): number {
  if (errors.length === 0) return exitCodes.ok.code;
  if (errors.length < count) return exitCodes.someFailed.code;
  return Math.max(...errors.map(({ exitCode }) => exitCode));
}
