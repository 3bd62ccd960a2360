import type { MailServer } from '../../../src/mail/servers/mail-server.ts';
import type { MailSettings } from '../../../src/mail/servers/mail-settings.ts';
import type { SmtpTransport } from '../../../src/mail/servers/mail-transport.ts';
import { composingDefaults } from './composing-defaults.ts';

/** A transport to a server on this host, without TLS. */
export function transportTo(port: number, more: Partial<SmtpTransport> = {}): SmtpTransport {
  return {
    type: 'smtp',
    host: '127.0.0.1',
    port,
    security: 'loopback',
    credentials: undefined,
    caFile: undefined,
    timeoutMs: 20_000,
    ...more,
  };
}

function serverAt(name: string, port: number, more: Partial<MailServer> = {}): MailServer {
  const transport = transportTo(port);
  return { name, transport, connections: 5, paceMs: undefined, fallback: undefined, ...more };
}

/** `[mail]` with one server on this host. */
export function mailSettingsFor(port: number, more: Partial<MailSettings> = {}): MailSettings {
  return {
    servers: new Map([['default', serverAt('default', port)]]),
    domains: new Map(),
    ...composingDefaults,
    allowDomains: undefined,
    onUnknown: 'hold',
    ...more,
  };
}
