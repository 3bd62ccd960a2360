import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Certificate } from '../../support/certificates.ts';

/** What a service was sent. */
export interface ReceivedRequest {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** A real server of the test's own on the loopback. */
export interface Service extends AsyncDisposable {
  port: number;
  /** `http://127.0.0.1:PORT`, or https. */
  url: string;
  /** The place as `[http] allow` names it. */
  place: string;
  received: ReceivedRequest[];
  connections: number;
}

export type Answer = (response: ServerResponse, request: ReceivedRequest) => void;

/** Gives the n-th request the n-th answer, and the last one from then on. */
export async function startService(
  answers: Answer | Answer[],
  options: { tls?: Certificate; host?: string } = {},
): Promise<Service> {
  const list = Array.isArray(answers) ? answers : [answers];
  const received: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', () => {});
    const body = await text(request).catch(() => '');
    const seen = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
    received.push(seen);
    list[Math.min(received.length, list.length) - 1]?.(response, seen);
  };
  const { tls } = options;
  const onRequest = (request: IncomingMessage, response: ServerResponse) => void listener(request, response);
  const server =
    tls === undefined
      ? createServer(onRequest)
      : createTlsServer({ cert: tls.certificate, key: tls.key }, onRequest);
  const service = { connections: 0 };
  server.on('connection', (socket: Socket) => {
    service.connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, options.host ?? '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listen() on TCP gives an address with a port
  const scheme = tls === undefined ? 'http' : 'https';
  const place = `${tls === undefined ? 'http://' : ''}127.0.0.1:${port}`;
  return Object.assign(service, {
    ...{ port, url: `${scheme}://127.0.0.1:${port}`, place, received },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

export function reply(status: number, body = '', headers: Record<string, string> = {}): Answer {
  return (response) => response.writeHead(status, headers).end(body);
}
