import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  certificate: string;
  key: string;
}

/** A certificate authority of the test's own, in `directory`, made by openssl. */
export interface Authority {
  /** PEM file with the authority's certificate. */
  certificatePath: string;
  /** For a day, unless told; a certificate of -1 day has expired. */
  issue(options: { name: string; commonName: string; dnsName?: string; days?: number }): Certificate;
}

export function createAuthority(directory: string, name: string): Authority {
  const at = (file: string) => join(directory, `${name}-${file}`);
  openssl('req', '-x509', '-nodes', ...newKey(at('ca.key')), '-out', at('ca.crt'), '-subj', `/CN=${name}`);
  return {
    certificatePath: at('ca.crt'),
    issue({ name: subject, commonName, dnsName, days = 1 }) {
      const path = (extension: string) => at(`${subject}.${extension}`);
      writeFileSync(path('ext'), dnsName === undefined ? '' : `subjectAltName=DNS:${dnsName}\n`);
      const request = ['-out', path('csr'), '-subj', `/CN=${commonName}`];
      openssl('req', '-nodes', ...newKey(path('key')), ...request);
      const signer = [
        '-CA',
        at('ca.crt'),
        '-CAkey',
        at('ca.key'),
        '-CAcreateserial',
        '-extfile',
        path('ext'),
      ];
      openssl('x509', '-req', '-days', String(days), '-in', path('csr'), '-out', path('crt'), ...signer);
      return { certificate: readFileSync(path('crt'), 'utf8'), key: readFileSync(path('key'), 'utf8') };
    },
  };
}

function newKey(path: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', path];
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
