import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { TendError } from '../../errors.ts';
import { faultyTemplate } from './faulty-template.ts';
import { parseTemplate } from './parse-template.ts';
import { TemplateFault, type TemplateNode } from './template-node.ts';

/** One file of a template. */
export interface TemplatePart {
  /** As it is named in messages: `welcome.pl.html`. */
  file: string;
  nodes: readonly TemplateNode[];
  /** Whether catalogs have to be read for it. */
  isTranslated: boolean;
}

/** The files of one template that a message is made from. */
export interface TemplateParts {
  subject: TemplatePart | undefined;
  text: TemplatePart | undefined;
  html: TemplatePart | undefined;
}

export interface ReadTemplateOptions {
  /** Absolute. */
  directory: string;
  /** Such as `welcome` or `orders/shipped`. */
  name: string;
  /** The nearest first; the template without a locale comes after them. */
  locales: readonly string[];
  clock: Clock;
}

/** Names lead down into the directory and nowhere else. */
const templateName = /^[a-z0-9][a-z0-9_-]{0,99}(\/[a-z0-9][a-z0-9_-]{0,99}){0,9}$/i;

/** What was read, for as long as nobody waits for a change to show. */
const known = new Map<string, { until: number; parts: TemplateParts }>();
const knownForMs = 2000;
const mostKnown = 500;

/**
 * Reads a template's files for the nearest of the locales that has text or html, so that no message is half in one language and
 * half in another; only the subject may be of a farther one. What was read is used for two seconds: a drain sends
 * thousands of one.
 *
 * @throws TendError MAIL_TEMPLATE_INVALID, permanent.
 */
export async function readTemplate(options: ReadTemplateOptions): Promise<TemplateParts> {
  const { directory, name, locales, clock } = options;
  if (!templateName.test(name)) {
    throw invalid(name, 'a template is named with letters, digits, "_", "-", and "/" for directories');
  }
  const key = [directory, name, ...locales].join('\0');
  const found = known.get(key);
  if (found !== undefined && clock.monotonicMs() < found.until) return found.parts;
  const parts = await readParts(options);
  if (known.size >= mostKnown) known.clear();
  known.set(key, { parts, until: clock.monotonicMs() + knownForMs });
  return parts;
}

async function readParts({ directory, name, locales }: ReadTemplateOptions): Promise<TemplateParts> {
  const bases = [...locales.map((locale) => `${name}.${locale}`), name];
  for (const [index, base] of bases.entries()) {
    const text = await readPart(directory, `${base}.txt`);
    const html = await readPart(directory, `${base}.html`);
    if (text === undefined && html === undefined) continue;
    for (const each of bases.slice(index)) {
      const subject = await readPart(directory, `${each}.subject`);
      if (subject !== undefined) return { subject, text, html };
    }
    return { subject: undefined, text, html };
  }
  throw invalid(name, `"${directory}" has neither ${name}.txt nor ${name}.html`);
}

/** Undefined where there is no such file. */
async function readPart(directory: string, file: string): Promise<TemplatePart | undefined> {
  const source = await readSource(directory, file);
  if (source === undefined) return undefined;
  try {
    return { file, nodes: parseTemplate(source), isTranslated: /(_|gettext)\s*\(/.test(source) };
  } catch (error) {
    throw error instanceof TemplateFault ? faultyTemplate(file, error) : error;
  }
}

async function readSource(directory: string, file: string): Promise<string | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(join(directory, file));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw invalid(file, `the file cannot be read (${String(code)})`, cause);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalid(file, 'the file is not UTF-8', cause);
  }
}

function invalid(name: string, reason: string, cause?: unknown): TendError {
  return new TendError(
    'MAIL_TEMPLATE_INVALID',
    `The template ${JSON.stringify(name.slice(0, 200))} was not used: ${reason}.`,
    { isPermanent: true, cause },
  );
}
