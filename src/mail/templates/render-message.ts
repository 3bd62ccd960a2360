import type { Clock } from '../../clock.ts';
import { TendError } from '../../errors.ts';
import { findMessages } from '../../translations/find-messages.ts';
import type { MailMessage } from '../compose/mail-message.ts';
import type { FindTranslation } from './evaluate-expression.ts';
import { faultyTemplate } from './faulty-template.ts';
import { localeChain } from './locale-chain.ts';
import { readTemplate, type TemplatePart } from './read-template.ts';
import { renderTemplate } from './render-template.ts';
import { TemplateFault } from './template-node.ts';

export interface TemplateSettings {
  /** `[mail] templates`, absolute. */
  directory: string | undefined;
  /** `[translations] paths`, absolute: where the site's own compiled catalogs are. */
  catalogs: readonly string[];
}

export interface RenderMessageOptions {
  message: MailMessage;
  templates: TemplateSettings;
  clock: Clock;
  signal: AbortSignal;
}

/** What a message says. */
export interface MessageContent {
  subject: string;
  text: string | undefined;
  html: string | undefined;
}

/**
 * What the message says: its own words, or those of its template, filled in for the reader's locale.
 *
 * @throws TendError MAIL_TEMPLATE_INVALID and MAIL_MESSAGE_INVALID, permanent; CATALOG_INVALID.
 */
export async function renderMessage(options: RenderMessageOptions): Promise<MessageContent> {
  const { message, templates, clock, signal } = options;
  const { template, text, html, subject = '', data = {} } = message;
  if (template === undefined) return { subject, text, html };
  const { directory, catalogs } = templates;
  if (directory === undefined) throw noDirectory(template);
  const locales = localeChain(message.locale);
  const parts = await readTemplate({ directory, name: template, locales, clock });
  const isTranslated = Object.values(parts).some((part) => part?.isTranslated === true);
  const messages =
    isTranslated && locales.length > 0 ? await findMessages({ roots: catalogs, locales, signal }) : undefined;
  const findTranslation: FindTranslation = (wanted) => messages?.find(wanted);
  const render = (part: TemplatePart | undefined, escape: (value: string) => string) =>
    part === undefined ? undefined : fill(part, { data, escape, findTranslation });
  const ownSubject = message.subject ?? render(parts.subject, withoutControls)?.trim().replace(/\s+/g, ' ');
  if (ownSubject === undefined) throw noSubject(template);
  return {
    subject: ownSubject,
    text: render(parts.text, (value) => value),
    html: render(parts.html, escapeHtml),
  };
}

function fill(
  { file, nodes }: TemplatePart,
  rest: Omit<Parameters<typeof renderTemplate>[0], 'nodes'>,
): string {
  try {
    return renderTemplate({ nodes, ...rest });
  } catch (error) {
    throw error instanceof TemplateFault ? faultyTemplate(file, error) : error;
  }
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (char) => entities[char] ?? char);
}

/** A value in the subject cannot end the line it stands in. */
function withoutControls(value: string): string {
  return value.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

function noDirectory(template: string): TendError {
  return new TendError(
    'MAIL_TEMPLATE_INVALID',
    `The template ${JSON.stringify(template.slice(0, 200))} was not used: tend.toml names no directory of templates.`,
    { isPermanent: true, hint: 'Set it in tend.toml: [mail] templates = "mail".' },
  );
}

function noSubject(template: string): TendError {
  return new TendError(
    'MAIL_TEMPLATE_INVALID',
    `The template "${template}" has no subject: there is no ${template}.subject, and the message names none.`,
    { isPermanent: true },
  );
}
