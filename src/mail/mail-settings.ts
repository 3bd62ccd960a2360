import { resolve } from 'node:path';
import { registerUrlPassword, resolveReference } from '../config/resolve-reference.ts';
import type { Config } from '../config/schema.ts';
import { TendError } from '../errors.ts';
import type { SecretRegistry } from '../redact.ts';
import type { OnUnknown } from './mail-message.ts';
import { type MailTransport, parseMailUrl } from './mail-transport.ts';

export interface MailSettings {
  transport: MailTransport;
  defaultFrom: string | undefined;
  redirectAll: string | undefined;
  onUnknown: OnUnknown;
  /** Absolute. Tasks attach only files inside these. */
  attachmentsFrom: string[];
}

export interface FindMailSettingsOptions {
  config: Config;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
}

/**
 * The `[mail]` section as this process uses it; the password goes to `secrets` before anything can quote it.
 *
 * @throws TendError MAIL_NOT_CONFIGURED, CONFIG_INVALID (a variable that is not set).
 */
export function findMailSettings({
  config,
  baseDirectory,
  env,
  secrets,
}: FindMailSettingsOptions): MailSettings {
  const { mail } = config;
  if (mail.url === undefined) {
    throw new TendError('MAIL_NOT_CONFIGURED', 'No mail server is configured.', {
      hint: 'Set it in tend.toml: [mail] url = "env:SMTP_URL", or "eml:mail-out" to write files instead.',
    });
  }
  const url = resolveReference({ value: mail.url, key: 'mail.url', env, secrets });
  registerUrlPassword(url, secrets);
  const transport = parseMailUrl({ url, baseDirectory, caFile: mail.tls_ca_file, timeoutMs: mail.timeout });
  if (transport.type === 'smtp') secrets.add(transport.credentials?.password);
  return {
    transport,
    defaultFrom: mail.from,
    redirectAll: mail.redirect_all,
    onUnknown: mail.on_unknown,
    attachmentsFrom: mail.attachments_from.map((directory) => resolve(baseDirectory, directory)),
  };
}
