import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A name server that knows TXT records of names; another name does not exist, and `refused` is not answered well. */
export interface DnsServer extends AsyncDisposable {
  /** `address:port`, as `Resolver.setServers` takes it. */
  address: string;
}

const [noSuchName, refused, txt] = [3, 5, 16];

/** Answers over UDP on loopback (RFC 1035 §4); a record is a list of texts, each of at most 255 bytes. */
export async function startDnsServer(records: ReadonlyMap<string, string[] | 'refused'>): Promise<DnsServer> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    const { name, end } = readName(query, 12);
    const found = records.get(name);
    const question = query.subarray(12, end + 4);
    const code = found === undefined ? noSuchName : found === 'refused' ? refused : 0;
    const data = Buffer.concat(texts(found).map((text) => Buffer.concat([Buffer.from([text.length]), text])));
    const answer = Buffer.alloc(12);
    answer.writeUInt16BE(0xc00c, 0); // the name in the question
    answer.writeUInt16BE(txt, 2);
    answer.writeUInt16BE(1, 4);
    answer.writeUInt16BE(data.length, 10);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 + code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(code === 0 ? 1 : 0, 6);
    socket.send(Buffer.concat([header, question, ...(code === 0 ? [answer, data] : [])]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => void socket.close(() => resolve())),
  };
}

function texts(found: string[] | 'refused' | undefined): Buffer[] {
  return Array.isArray(found) ? found.map((text) => Buffer.from(text)) : [];
}

function readName(query: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let place = start;
  for (let length = query[place] ?? 0; length > 0; length = query[place] ?? 0) {
    labels.push(query.toString('latin1', place + 1, place + 1 + length));
    place += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: place + 1 };
}
