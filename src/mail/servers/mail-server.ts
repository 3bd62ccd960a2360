import { createHash } from 'node:crypto';
import { TendError } from '../../errors.ts';
import type { MailTransport } from './mail-transport.ts';

/** Name of the server of `[mail] url`. */
export const defaultServer = 'default';

/** One way out, with its limits. */
export interface MailServer {
  name: string;
  transport: MailTransport;
  /** Messages under way at once. */
  connections: number;
  /** Least time between two messages; undefined: no limit. */
  paceMs: number | undefined;
  /** The server that takes over while this one fails. */
  fallback: string | undefined;
}

/**
 * The servers that may carry a message, in the order they are asked.
 *
 * @throws TendError MAIL_NOT_CONFIGURED (permanent) for a name that tend.toml does not have.
 */
export function serverChain(servers: ReadonlyMap<string, MailServer>, name: string): MailServer[] {
  const chain: MailServer[] = [];
  for (let next: string | undefined = name; next !== undefined; ) {
    const server = servers.get(next);
    if (server === undefined) {
      throw new TendError(
        'MAIL_NOT_CONFIGURED',
        `The message names mail server "${next}", which tend.toml does not have.`,
        {
          isPermanent: true,
          hint: `Known servers: ${[...servers.keys()].join(', ')}`,
        },
      );
    }
    if (chain.includes(server)) break;
    chain.push(server);
    next = server.fallback;
  }
  return chain;
}

/** Changes with every setting that decides whether a server works, the password too; tells none of them. */
export function fingerprintServer({ transport }: MailServer): string {
  return createHash('sha256').update(JSON.stringify(transport)).digest('base64url').slice(0, 22);
}
