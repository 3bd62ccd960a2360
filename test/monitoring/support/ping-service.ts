import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A monitoring service that answers `statuses` in turn, the last one for ever. */
export async function startService(...statuses: number[]) {
  const pings: { path: string; rid: string | null; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://service');
      pings.push({ path: pathname, rid: searchParams.get('rid'), body });
      response.writeHead((statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-check`;
  const arrived = async (count: number): Promise<void> => {
    while (pings.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return { pings, url, arrived, [Symbol.asyncDispose]: async () => void server.close() };
}
