import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A network between a client and a server on 127.0.0.1 that breaks on demand. */
export interface NetworkProxy extends AsyncDisposable {
  port: number;
  /** How many bytes have gone to the server, and come from it. */
  readonly sent: number;
  readonly received: number;
  /** Breaks the connections, once, when so many more bytes have gone that way. */
  cutAfter(bytes: number, way: 'sent' | 'received'): void;
  /** The same when so many bytes were sent, and takes no connection any more until `mend`. */
  breakAfter(bytes: number): void;
  mend(): void;
  /** From so many more bytes to the server on nothing passes, and nobody is told; `undefined` lets all pass again. */
  stallAfter(bytes: number | undefined): void;
  /** How many times it was cut. */
  readonly cuts: number;
}

export async function startNetworkProxy(target: number): Promise<NetworkProxy> {
  const sockets = new Set<Socket>();
  const counts = { sent: 0, received: 0 };
  let cuts = 0;
  let cut: { at: number; way: 'sent' | 'received' } | undefined;
  let stallAt: number | undefined;
  let willStay = false;
  let isBroken = false;

  const breakAll = () => {
    cut = undefined;
    cuts += 1;
    isBroken = willStay;
    for (const socket of sockets) socket.destroy();
  };
  const relay = (from: Socket, to: Socket, way: 'sent' | 'received') => {
    from.on('data', (chunk: Buffer) => {
      counts[way] += chunk.length;
      if (cut?.way === way && counts[way] >= cut.at) breakAll();
      else if (stallAt === undefined || counts.sent < stallAt) {
        if (!to.write(chunk)) from.pause();
      }
    });
    to.on('drain', () => from.resume());
  };
  const proxy = createServer((client) => {
    if (isBroken) return client.destroy();
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    relay(client, upstream, 'sent');
    relay(upstream, client, 'received');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get sent() {
      return counts.sent;
    },
    get received() {
      return counts.received;
    },
    get cuts() {
      return cuts;
    },
    cutAfter(bytes, way) {
      cut = { at: counts[way] + bytes, way };
    },
    breakAfter(bytes) {
      willStay = true;
      cut = { at: counts.sent + bytes, way: 'sent' };
    },
    mend() {
      willStay = false;
      isBroken = false;
    },
    stallAfter(bytes) {
      stallAt = bytes === undefined ? undefined : counts.sent + bytes;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
