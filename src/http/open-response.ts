import type { LookupAddress } from 'node:dns';
import { readFile } from 'node:fs/promises';
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import { TendError } from '../errors.ts';
import type { Hop } from './hop.ts';

export interface OpenResponseOptions {
  hop: Hop;
  /** All headers but those of the connection. */
  headers: Readonly<Record<string, string>>;
  /** Where to connect: the name is not resolved again. */
  addresses: readonly LookupAddress[];
  caFile: string | undefined;
  signal: AbortSignal;
}

/**
 * Sends one request over a connection of its own and returns the answer once its headers are there, with the body still
 * to come. Proxies of the environment are not used: what was checked is what is connected to. Certificates are checked,
 * whatever NODE_TLS_REJECT_UNAUTHORIZED says.
 *
 * @throws what node:http emits; CONFIG_INVALID where `tls_ca_file` cannot be read.
 */
export async function openResponse(options: OpenResponseOptions): Promise<IncomingMessage> {
  const { hop, headers, addresses, caFile, signal } = options;
  const common: RequestOptions = {
    method: hop.method,
    headers: { ...headers },
    lookup: pinnedTo(addresses),
    agent: false,
    insecureHTTPParser: false,
    signal,
  };
  const ca = hop.url.protocol === 'https:' ? await authorities(caFile) : {};
  const request =
    hop.url.protocol === 'https:'
      ? https.request(hop.url, { ...common, ...ca, rejectUnauthorized: true })
      : http.request(hop.url, common);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.once('response', (response) => {
    response.on('error', () => {}); // whoever reads the body is told too; nobody may be reading it any more
    resolve(response);
  });
  request.on('error', reject); // stays: a connection may break again after it has broken
  // An answer that would change the protocol (101) is neither a response nor an error.
  request.once('close', () => reject(new Error('what came back is no answer')));
  request.end(hop.body);
  return await promise;
}

function pinnedTo(addresses: readonly LookupAddress[]): LookupFunction {
  return (hostname, { all }, callback) => {
    const [first] = addresses;
    if (first === undefined) callback(new Error(`"${hostname}" has no address`), '');
    else if (all === true) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
}

/** Ours beside the usual ones: a service on the internet stays reachable. */
async function authorities(caFile: string | undefined): Promise<{ ca?: string[] }> {
  if (caFile === undefined) return {};
  try {
    return { ca: [...getCACertificates('default'), await readFile(caFile, 'utf8')] };
  } catch (cause) {
    throw new TendError('CONFIG_INVALID', `The file "${caFile}" of [http] tls_ca_file cannot be read.`, {
      cause,
    });
  }
}
