import type pg from 'pg';

/** From which execution on a statement is prepared: most are executed once. */
const repeatedAfter = 4;
/**
 * A plan that is kept was made for tables as large as they were then, and a drain begins with empty ones: it is made anew
 * now and then.
 */
const longestUse = 250;
/** Texts that are counted at a time; those that differ each time must not gather. */
const mostTexts = 100;

interface Repeated {
  executions: number;
  name: string | undefined;
}

/**
 * Prepares what one session executes again and again, under names, so that the server parses and plans it once: of small
 * statements that is more than half of the work. Only where the session is the server's own and stays so. A pooler in
 * transaction mode gives each statement to whichever session is free, where the name is unknown, and would keep what
 * we prepared after we have gone.
 */
export class PreparedStatements {
  readonly #client: pg.Client;
  readonly #texts = new Map<string, Repeated>();
  /** Of no other session; node:crypto would cost each idle tick what it loads. */
  readonly #prefix = `tend_${Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')}_`;
  #isDirect: boolean | undefined;
  #names = 0;

  constructor(client: pg.Client) {
    this.#client = client;
  }

  /** @throws what node-postgres threw. */
  async query(text: string, values: readonly unknown[]): Promise<unknown> {
    const name = await this.#nameFor(text);
    if (name === undefined) return await this.#client.query(text, [...values]);
    try {
      return await this.#client.query({ name, text, values: [...values] });
    } catch (error) {
      if (!isAboutName(error)) throw error;
      // It was refused before it was executed, and the next would be, too.
      this.#isDirect = false;
      return await this.#client.query(text, [...values]);
    }
  }

  /** Undefined: to be sent without a name. */
  async #nameFor(text: string): Promise<string | undefined> {
    if (this.#isDirect === false) return undefined;
    const repeated = this.#texts.get(text) ?? { executions: 0, name: undefined };
    if (repeated.executions === 0) {
      if (this.#texts.size >= mostTexts) this.#forgetUnnamed();
      this.#texts.set(text, repeated);
    }
    repeated.executions += 1;
    // In a transaction a refusal of the name would be one of everything.
    if (repeated.executions <= repeatedAfter || this.#client.getTransactionStatus() !== 'I') return undefined;
    this.#isDirect ??= await this.#findDirectness();
    if (!this.#isDirect) return undefined;
    if (repeated.name === undefined || repeated.executions > longestUse) await this.#rename(repeated);
    return repeated.name;
  }

  async #rename(repeated: Repeated): Promise<void> {
    const { name } = repeated;
    this.#names += 1;
    repeated.name = `${this.#prefix}${this.#names}`;
    repeated.executions = repeatedAfter + 1;
    if (name !== undefined) await this.#client.query(`deallocate ${name}`);
  }

  /** A pooler tells its client a key of its own for what should be the number of the server's process. */
  async #findDirectness(): Promise<boolean> {
    const { rows } = await this.#client.query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid');
    // Public by use: Kysely relies on it, too. Where it is missing nothing is prepared.
    const { processID } = this.#client as unknown as { processID?: number | null };
    return rows[0]?.pid === processID;
  }

  #forgetUnnamed(): void {
    for (const [text, { name }] of this.#texts) if (name === undefined) this.#texts.delete(text);
  }
}

/** Unknown name, name that is there already, and a name whose tables have changed. */
function isAboutName(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === '26000' || code === '42P05' || (code === '0A000' && String(error).includes('cached plan'));
}
