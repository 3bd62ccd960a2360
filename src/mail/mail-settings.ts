import type { Config } from '../config/schema.ts';
import { TendError } from '../errors.ts';
import type { SecretRegistry } from '../redact.ts';
import { type MailTransport, parseMailUrl } from './mail-transport.ts';
import type { OnUnknown } from './mail-message.ts';

export interface MailSettings {
  transport: MailTransport;
  defaultFrom: string | undefined;
  redirectAll: string | undefined;
  onUnknown: OnUnknown;
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
 * @throws TendError MAIL_NOT_CONFIGURED.
 */
export function findMailSettings({
  config,
  baseDirectory,
  env,
  secrets,
}: FindMailSettingsOptions): MailSettings {
  const { mail } = config;
  const url = readUrl(mail.url, env);
  secrets.add(url);
  const transport = parseMailUrl({ url, baseDirectory, caFile: mail.tls_ca_file, timeoutMs: mail.timeout });
  if (transport.type === 'smtp') secrets.add(transport.credentials?.password);
  return { transport, defaultFrom: mail.from, redirectAll: mail.redirect_all, onUnknown: mail.on_unknown };
}

function readUrl(setting: string | undefined, env: NodeJS.ProcessEnv): string {
  const hint = 'Set it in tend.toml: [mail] url = "env:SMTP_URL", or "eml:mail-out" to write files instead.';
  if (setting === undefined)
    throw new TendError('MAIL_NOT_CONFIGURED', 'No mail server is configured.', { hint });
  if (!setting.startsWith('env:')) return setting;
  const name = setting.slice('env:'.length);
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  throw new TendError(
    'MAIL_NOT_CONFIGURED',
    `No mail server is configured: ${name}, named by [mail] url, is not set.`,
    {
      hint,
    },
  );
}
