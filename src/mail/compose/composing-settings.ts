import { resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import type { DkimSettings } from '../dkim/sign-message.ts';
import type { TemplateSettings } from '../templates/render-message.ts';

/** What of `[mail]` decides how a message looks; the rest says how it travels. */
export interface ComposingSettings {
  /** `[mail] from`, where the message names no sender. */
  defaultFrom: string | undefined;
  /** `[mail] redirect_all`: the only recipient, whoever was meant. */
  redirectAll: string | undefined;
  /** Absolute. Tasks attach only files inside these. */
  attachmentsFrom: string[];
  /** Whether tasks may attach large objects of the database. */
  mayAttachLargeObjects: boolean;
  templates: TemplateSettings;
  dkim: DkimSettings | undefined;
}

export interface FindComposingSettingsOptions {
  config: Config;
  baseDirectory: string;
}

/** The part of `[mail]` that composing needs: no server has to be configured. */
export function findComposingSettings({
  config,
  baseDirectory,
}: FindComposingSettingsOptions): ComposingSettings {
  const { mail, translations } = config;
  const { dkim, templates } = mail;
  return {
    defaultFrom: mail.from,
    redirectAll: mail.redirect_all,
    attachmentsFrom: mail.attachments_from.map((directory) => resolve(baseDirectory, directory)),
    mayAttachLargeObjects: mail.large_objects,
    templates: {
      directory: templates === undefined ? undefined : resolve(baseDirectory, templates),
      catalogs: translations.paths.map((path) => resolve(baseDirectory, path)),
    },
    dkim:
      dkim === undefined
        ? undefined
        : { domain: dkim.domain, selector: dkim.selector, keyFile: resolve(baseDirectory, dkim.key_file) },
  };
}
