import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { ConnectionSettings } from '../../src/connection/settings.ts';

/** Where the connection breaks: before the server gets the statement, or after it committed and before it answers. */
export type Cut = 'before' | 'after';

/** A network between us and PostgreSQL that breaks on demand. */
export interface DatabaseProxy extends AsyncDisposable {
  /** Leads to the same database by way of the proxy. */
  connection: ConnectionSettings;
  /** Breaks the connection at the next statement that contains `text`, once. */
  cut(where: Cut, text: string): void;
  /** From now on nothing passes, and nobody is told: a half-open connection. */
  swallow(): void;
  /** How many connections were broken. */
  readonly cuts: number;
}

export async function startDatabaseProxy(connection: ConnectionSettings): Promise<DatabaseProxy> {
  const [server] = connection.servers;
  const sockets = new Set<Socket>();
  const orders: { where: Cut; text: string }[] = [];
  let cuts = 0;
  let isSwallowing = false;

  const proxy = createServer((client) => {
    const upstream = connect(`${server.host}/.s.PGSQL.${server.port}`);
    let isMute = false;
    const destroyBoth = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', destroyBoth);
      socket.on('close', destroyBoth);
    }
    client.on('data', (chunk: Buffer) => {
      if (isSwallowing) return;
      const place = orders.findIndex(({ text }) => chunk.includes(text));
      const [order] = place < 0 ? [] : orders.splice(place, 1);
      if (order !== undefined) cuts += 1;
      if (order?.where === 'before') destroyBoth();
      else {
        isMute ||= order !== undefined;
        upstream.write(chunk);
      }
    });
    upstream.on('data', (chunk: Buffer) => {
      if (isSwallowing) return;
      if (!isMute) client.write(chunk);
      else if (isReadyForQuery(chunk)) destroyBoth();
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  return {
    connection: { ...connection, servers: [{ host: '127.0.0.1', port }], sslMode: 'disable' },
    cut: (where, text) => void orders.push({ where, text }),
    swallow() {
      isSwallowing = true;
    },
    get cuts() {
      return cuts;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}

/** The server ends its answer to a statement outside a transaction with `Z`, length 5, `I`: all is committed. */
function isReadyForQuery(chunk: Buffer): boolean {
  return chunk.length >= 6 && chunk.subarray(-6).equals(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]));
}
