import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

interface BegunUpload {
  key: string;
  parts: Map<number, { etag: string; size: number }>;
}

/** What S3 answers and the servers of the tests do not: which multipart uploads have begun, and which parts are there. */
export interface MultipartListings extends AsyncDisposable {
  port: number;
  /** Key and number of parts of every upload that is neither completed nor given up. */
  begun(): { key: string; parts: number }[];
}

/** Stands before a server, watches the uploads that go through, and answers the two listings as the S3 API reference has them. */
export async function startMultipartListings(target: number): Promise<MultipartListings> {
  const uploads = new Map<string, BegunUpload>();
  const server = createServer((incoming, answer) => {
    const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://localhost');
    const uploadId = searchParams.get('uploadId');
    if (incoming.method === 'GET' && searchParams.has('uploads')) {
      return sendXml(answer, listUploads(uploads, searchParams.get('prefix') ?? ''));
    }
    if (incoming.method === 'GET' && uploadId !== null) {
      return sendXml(answer, listParts(uploads.get(uploadId)));
    }
    forward(target, incoming, answer, (response, body) => {
      if (response.statusCode !== 200 && response.statusCode !== 204) return;
      const key = decodeURIComponent(pathname.replace(/^\/[^/]*\//, ''));
      if (incoming.method === 'POST' && searchParams.has('uploads')) {
        const id = /<UploadId>(.*?)<\/UploadId>/.exec(body)?.[1] ?? '';
        uploads.set(id, { key, parts: new Map() });
      } else if (uploadId !== null && incoming.method === 'PUT') {
        const size = Number(incoming.headers['content-length']);
        const part = { etag: response.headers.etag ?? '', size };
        uploads.get(uploadId)?.parts.set(Number(searchParams.get('partNumber')), part);
      } else if (uploadId !== null) uploads.delete(uploadId);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    begun: () => [...uploads.values()].map(({ key, parts }) => ({ key, parts: parts.size })),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function forward(
  target: number,
  incoming: IncomingMessage,
  answer: ServerResponse,
  onAnswer: (response: IncomingMessage, body: string) => void,
): void {
  const { method = 'GET', url = '/', headers } = incoming;
  const outgoing = request({ host: '127.0.0.1', port: target, method, path: url, headers }, (response) => {
    const isKept = method === 'POST';
    let body = '';
    if (isKept) response.on('data', (chunk) => (body += String(chunk)));
    response.on('end', () => onAnswer(response, body));
    answer.writeHead(response.statusCode ?? 500, response.headers);
    response.pipe(answer);
  });
  outgoing.on('error', () => answer.destroy());
  incoming.on('error', () => outgoing.destroy());
  incoming.on('aborted', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

function sendXml(answer: ServerResponse, xml: string): void {
  answer.writeHead(200, { 'content-type': 'application/xml' });
  answer.end(`<?xml version="1.0" encoding="UTF-8"?>${xml}`);
}

function listUploads(uploads: ReadonlyMap<string, BegunUpload>, prefix: string): string {
  const items = [...uploads].flatMap(([id, { key }]) =>
    key.startsWith(prefix)
      ? [
          `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${new Date().toISOString()}</Initiated></Upload>`,
        ]
      : [],
  );
  return `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${items.join('')}</ListMultipartUploadsResult>`;
}

function listParts(upload: BegunUpload | undefined): string {
  const items = [...(upload?.parts ?? [])].map(
    ([number, { etag, size }]) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${etag.replaceAll('"', '&quot;')}</ETag><Size>${size}</Size></Part>`,
  );
  return `<ListPartsResult><IsTruncated>false</IsTruncated>${items.join('')}</ListPartsResult>`;
}
