import { hostname } from 'node:os';
import type { HandlerContext } from '../tasks/handlers/handler.ts';
import type { CommandContext } from './command-context.ts';

/** What handlers get of a command's context; opens no session yet. */
export async function handlerContext(context: CommandContext): Promise<HandlerContext> {
  const { config, baseDirectory, clock, env, secrets } = context;
  const [connection, db] = await Promise.all([context.connection(), context.openDatabase()]);
  return { config, baseDirectory, connection, db, clock, env, secrets };
}

/** The name this machine goes by in the queue: `[tasks] host`, else the host name. */
export function hostName(context: Pick<CommandContext, 'config'>): string {
  return context.config.tasks.host ?? hostname();
}
