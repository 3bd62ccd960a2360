import { domainToASCII } from 'node:url';

export interface AllowedRecipientOptions {
  /** As `parseAddress` gives it. */
  address: string;
  /** `[mail] allow_domains`: exactly these, their subdomains are others. Undefined: every domain. */
  allowDomains: readonly string[] | undefined;
}

/** Whether mail may go to the address at all: on a staging site, only to the domains of its makers. */
export function isAllowedRecipient({ address, allowDomains }: AllowedRecipientOptions): boolean {
  if (allowDomains === undefined) return true;
  const domain = address.slice(address.lastIndexOf('@') + 1);
  return allowDomains.includes(domain) || allowDomains.includes(domainToASCII(domain));
}
