/** One mailbox, parsed by us and handed on as an object: nobody behind this point reads addresses out of text. */
export interface MailAddress {
  /** Display name, unquoted; empty where there is none. */
  name: string;
  /**
   * What the envelope and the headers carry: the local part quoted only where it must be, the domain in lower-case
   * A-labels (`xn--…`), except beside a local part that is itself beyond ASCII.
   */
  address: string;
}

/** True where only a server with SMTPUTF8 may be given the address (RFC 6531 §3.4). */
export function needsSmtpUtf8(address: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is the ASCII range.
  return /[^\u0000-\u007f]/.test(address);
}

/** `b…@example.org`: enough to recognise an address one knows, for messages and for logs at default verbosity. */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf('@');
  if (at < 1) return '…';
  const [first = ''] = address;
  return `${first === '"' ? '' : first}…${address.slice(at)}`;
}

/** Masks everything that looks like an address in text that came from a mail server. */
export function maskAddressesIn(text: string): string {
  return text.replace(/[^\s<>()[\],;:"'=]+@[^\s<>(),;:"']+/gu, maskAddress);
}
