import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { SmtpConversation } from './smtp-conversation.ts';

/** A mail server on this host that delivers to nobody: every message becomes a file. */
export interface SmtpSink extends AsyncDisposable {
  port: number;
  /** Paths of the messages taken so far, oldest first. */
  files: readonly string[];
}

/**
 * Listens on a free port of 127.0.0.1. Each message is written to `directory` as `N.eml`, exactly as it came between
 * DATA and the final dot, before it is accepted with 250. Disposing ends the conversations that are open.
 */
export async function startSmtpSink(options: { directory: string }): Promise<SmtpSink> {
  const { directory } = options;
  await mkdir(directory, { recursive: true });
  const files: string[] = [];
  const sockets = new Set<Socket>();
  let count = 0;
  const store = async (message: Buffer): Promise<string> => {
    count += 1;
    const file = join(directory, `${count}.eml`);
    await writeFile(file, message, { mode: 0o600 });
    files.push(file);
    return `${count}.eml`;
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    void converse(socket, store);
  });
  const port = await listen(server);
  return {
    port,
    files,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function converse(socket: Socket, store: (message: Buffer) => Promise<string>): Promise<void> {
  const conversation = new SmtpConversation(store);
  socket.write(conversation.greeting);
  try {
    // Chunks are answered one after the other, so that pipelined commands get their replies in order.
    for await (const chunk of socket) {
      const replies = await conversation.take(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));
      if (replies !== '') socket.write(replies);
      if (conversation.hasEnded) break;
    }
    socket.end();
  } catch {
    // A client that went away ends its own conversation only.
    socket.destroy();
  }
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The mail sink has no port.');
  return address.port;
}
