/** One part of a message (RFC 2045), its bytes as latin1 text whose lines end in LF. */
export interface Entity {
  /** Names in lower case; of several headers of one name, the first. Values unfolded, undecoded. */
  headers: ReadonlyMap<string, string>;
  /** `text/plain` where none is given. */
  type: string;
  /** Parameters of Content-Type, names in lower case. */
  parameters: ReadonlyMap<string, string>;
  /** Without its transfer encoding. */
  body: string;
  /** Of a multipart. */
  parts: Entity[];
}

/** What a mail server's report needs is at depth 2; a message may claim to have thousands. */
const deepest = 4;
const mostParts = 50;

/**
 * Reads a message, its lines ending in LF, as far as a report of a mail server has structure. Lenient: a boundary may
 * never come, and what cannot be read is an entity without parts. Parts of parts are read to a fixed depth.
 */
export function parseEntity(text: string, depth = 0): Entity {
  const end = /(?:^|\n)\n/.exec(text);
  const headers = readHeaders(end === null ? text : text.slice(0, end.index));
  const raw = end === null ? '' : text.slice(end.index + end[0].length);
  const { type, parameters } = readContentType(headers.get('content-type') ?? '');
  const boundary = parameters.get('boundary') ?? '';
  const isMultipart = type.startsWith('multipart/') && boundary !== '' && depth < deepest;
  const parts = isMultipart ? splitParts(raw, boundary).map((part) => parseEntity(part, depth + 1)) : [];
  return { headers, type, parameters, parts, body: decode(raw, headers.get('content-transfer-encoding')) };
}

/** Reads `Name: value` lines, folded ones too. */
export function readHeaders(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.replace(/\n[ \t]+/g, ' ').split('\n')) {
    const [, name, value] = /^([!-9;-~]+)[ \t]*:[ \t]*(.*)$/.exec(line) ?? [];
    const key = name?.toLowerCase();
    if (key !== undefined && value !== undefined && !headers.has(key)) headers.set(key, value.trim());
  }
  return headers;
}

function readContentType(value: string): { type: string; parameters: Map<string, string> } {
  const type = /^\s*([\w.+-]+\/[\w.+-]+)/.exec(value)?.[1]?.toLowerCase() ?? 'text/plain';
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, bare] of value.matchAll(
    /;\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/g,
  )) {
    parameters.set(name.toLowerCase(), quoted === undefined ? (bare ?? '') : quoted.replace(/\\(.)/g, '$1'));
  }
  return { type, parameters };
}

function splitParts(body: string, boundary: string): string[] {
  const parts: string[][] = [];
  for (const line of body.split('\n')) {
    const text = line.trimEnd();
    if (text === `--${boundary}--`) break;
    if (text === `--${boundary}`) {
      if (parts.length === mostParts) break;
      parts.push([]);
    } else parts.at(-1)?.push(line);
  }
  return parts.map((lines) => lines.join('\n'));
}

function decode(body: string, encoding = ''): string {
  switch (encoding.trim().toLowerCase()) {
    case 'base64':
      return toUnixLines(Buffer.from(body, 'base64').toString('latin1'));
    case 'quoted-printable':
      return body
        .replace(/=[ \t]*\n/g, '')
        .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    default:
      return body;
  }
}

/** The line ends of the wire as those of a file. */
export function toUnixLines(text: string): string {
  return text.replaceAll('\r\n', '\n');
}
