import { registerUrlPassword, resolveReference } from '../../config/resolve-reference.ts';
import type { Config } from '../../config/schema.ts';
import { TendError } from '../../errors.ts';
import type { SecretRegistry } from '../../redact.ts';
import { type ComposingSettings, findComposingSettings } from '../compose/composing-settings.ts';
import type { OnUnknown } from '../compose/mail-message.ts';
import { defaultServer, type MailServer } from './mail-server.ts';
import { parseMailUrl } from './mail-transport.ts';

export interface MailSettings extends ComposingSettings {
  /** By name; the one of `[mail] url` is `default`. */
  servers: ReadonlyMap<string, MailServer>;
  /** Limits for the recipients of one domain. */
  domains: ReadonlyMap<string, { paceMs?: number | undefined; connections?: number | undefined }>;
  /** Only recipients of these domains get mail; all where undefined. */
  allowDomains: readonly string[] | undefined;
  onUnknown: OnUnknown;
}

export interface FindMailSettingsOptions {
  config: Config;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
}

/**
 * The `[mail]` section as this process uses it; passwords go to `secrets` before anything can quote them.
 *
 * @throws TendError MAIL_NOT_CONFIGURED, CONFIG_INVALID (a variable that is not set).
 */
export function findMailSettings(options: FindMailSettingsOptions): MailSettings {
  const { mail } = options.config;
  if (mail.url === undefined) {
    throw new TendError('MAIL_NOT_CONFIGURED', 'No mail server is configured.', {
      hint: 'Set it in tend.toml: [mail] url = "env:SMTP_URL", or "eml:mail-out" to write files instead.',
    });
  }
  const servers = new Map([[defaultServer, readServer(options, defaultServer, { ...mail, url: mail.url })]]);
  for (const [name, settings] of Object.entries(mail.servers))
    servers.set(name, readServer(options, name, settings));
  refuseUnknownFallbacks(servers);
  return {
    ...findComposingSettings(options),
    servers,
    domains: new Map(
      Object.entries(mail.domains).map(([domain, { rate: paceMs, connections }]) => [
        domain,
        { paceMs, connections },
      ]),
    ),
    allowDomains: mail.allow_domains,
    onUnknown: mail.on_unknown,
  };
}

function readServer(
  { baseDirectory, env, secrets }: FindMailSettingsOptions,
  name: string,
  settings: Config['mail']['servers'][string],
): MailServer {
  const key = name === defaultServer ? 'mail.url' : `mail.servers.${name}.url`;
  const url = resolveReference({ value: settings.url, key, env, secrets });
  registerUrlPassword(url, secrets);
  const transport = parseMailUrl({
    url,
    baseDirectory,
    caFile: settings.tls_ca_file,
    fingerprint: settings.tls_fingerprint,
    tokenCommand: settings.token_command,
    timeoutMs: settings.timeout,
    setting: name === defaultServer ? '[mail] url' : `[mail.servers.${name}] url`,
  });
  if (transport.type === 'smtp' && transport.credentials?.password !== '')
    secrets.add(transport.credentials?.password);
  const { connections, rate: paceMs, fallback } = settings;
  return { name, transport, connections, paceMs, fallback };
}

function refuseUnknownFallbacks(servers: ReadonlyMap<string, MailServer>): void {
  for (const { name, fallback } of servers.values()) {
    if (fallback === undefined || servers.has(fallback)) continue;
    throw new TendError(
      'MAIL_NOT_CONFIGURED',
      `The fallback "${fallback}" of mail server "${name}" is not configured.`,
      { hint: `Known servers: ${[...servers.keys()].join(', ')}` },
    );
  }
}
