import { execFileSync } from 'node:child_process';

export interface ParsedPart {
  type: string;
  disposition: string | null;
  filename: string | null;
  cid: string | null;
  /** Of text as text with LF, of anything else as base64. */
  content: string;
}

export interface ParsedMessage {
  /** In order; names in lower case, values decoded. */
  headers: [string, string][];
  /** What is no container, in order. */
  parts: ParsedPart[];
  defects: string[];
}

const program = `
import base64, email, email.policy, json, sys
from email.header import decode_header, make_header
out = []
for raw in json.load(sys.stdin):
    message = email.message_from_bytes(base64.b64decode(raw), policy=email.policy.default)
    parts, defects = [], [str(d) for d in message.defects]
    for part in message.walk():
        defects += [str(d) for d in part.defects]
        if part.is_multipart(): continue
        content = part.get_content()
        text = content.replace('\\r\\n', '\\n') if isinstance(content, str) else base64.b64encode(content).decode()
        parts.append({'type': part.get_content_type(), 'disposition': part.get_content_disposition(),
                      'filename': part.get_filename(), 'cid': part['Content-ID'], 'content': text})
    # The structured reader of Python 3.11 puts a space between two encoded words of a name.
    headers = [[name.lower(), str(make_header(decode_header(value.replace('\\r\\n', '')))).strip()]
               for name, value in message.raw_items()]
    out.append({'headers': headers, 'parts': parts, 'defects': defects})
print(json.dumps(out))
`;

/** Reads messages with Python's email package: a reader that shares nothing with what wrote them. */
export function parseWithPython(messages: readonly Buffer[]): ParsedMessage[] {
  const input = JSON.stringify(messages.map((raw) => raw.toString('base64')));
  return JSON.parse(execFileSync('python3', ['-c', program], { input, maxBuffer: 1 << 28 }).toString());
}

/** The first header of that name, decoded. */
export function headerIn({ headers }: ParsedMessage, name: string): string | undefined {
  return headers.find(([each]) => each === name)?.[1];
}
