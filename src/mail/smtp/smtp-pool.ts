import { setTimeout as sleep } from 'node:timers/promises';
import { Places } from '../delivery/places.ts';
import type { SmtpTransport } from '../servers/mail-transport.ts';
import { type OpenSmtpConnection, openSmtpConnection } from './open-smtp-connection.ts';

export interface SmtpPoolOptions {
  transport: SmtpTransport;
  /** How many may be open at once. */
  connections: number;
  fetchToken?: ((isRefused: boolean) => Promise<string>) | undefined;
}

/** The right to one connection, until it is given back. */
export interface SmtpSlot extends AsyncDisposable {
  /** An open connection: one that has carried messages before, or a new one; always a new one for `isNew`. */
  open(options: { signal: AbortSignal; isNew: boolean }): Promise<OpenSmtpConnection>;
}

/** As many servers allow; a new connection now and then also finds a new address behind a name. */
const maxCarried = 100;
const resetPatienceMs = 5000;
const goodbyePatienceMs = 500;

/**
 * The connections to one server, kept between the messages of one worker and gone before it ends. A connection goes back
 * only in a known state: after a message that was taken, or after a RSET that was answered.
 */
export class SmtpPool implements AsyncDisposable {
  readonly #options: SmtpPoolOptions;
  readonly #idle: OpenSmtpConnection[] = [];
  readonly #places: Places;

  constructor(options: SmtpPoolOptions) {
    this.#options = options;
    this.#places = new Places(options.connections);
  }

  /** Waits for a free connection. @throws the signal's reason. */
  async acquire(signal: AbortSignal): Promise<SmtpSlot> {
    const place = await this.#places.take(signal);
    const held: { open?: OpenSmtpConnection | undefined } = {};
    return {
      open: async ({ signal: stop, isNew }) => {
        held.open?.connection.close();
        held.open = isNew ? undefined : this.#takeIdle();
        held.open ??= await openSmtpConnection({ ...this.#options, signal: stop });
        return held.open;
      },
      [Symbol.asyncDispose]: async () => {
        if (held.open !== undefined) await this.#giveBack(held.open);
        place[Symbol.dispose]();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(sayGoodbye));
  }

  #takeIdle(): OpenSmtpConnection | undefined {
    for (;;) {
      const open = this.#idle.pop();
      if (open === undefined || open.isUsable) return open;
      open.connection.close();
    }
  }

  async #giveBack(open: OpenSmtpConnection): Promise<void> {
    if (open.isUsable && open.carried < maxCarried) this.#idle.push(open);
    else if (open.isUsable) await sayGoodbye(open);
    else open.connection.close();
  }
}

/** Ends a transaction that was refused, so that the connection can carry another; unusable where that fails. */
export async function resetConnection(open: OpenSmtpConnection): Promise<void> {
  if (!open.isUsable) return;
  open.isUsable = false;
  const isReset = await Promise.race([
    open.dialogue.say('RSET').then(
      ({ code }) => code < 300,
      () => false,
    ),
    sleep(resetPatienceMs, false, { ref: false }),
  ]);
  open.isUsable = isReset;
}

/** QUIT, without waiting long for a server that has nothing to add. */
async function sayGoodbye({ connection, dialogue }: OpenSmtpConnection): Promise<void> {
  const said = dialogue.say('QUIT').catch(() => undefined);
  await Promise.race([said, sleep(goodbyePatienceMs, undefined, { ref: false })]);
  connection.close();
}
