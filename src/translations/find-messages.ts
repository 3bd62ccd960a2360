import { readFile, stat } from 'node:fs/promises';
import { TendError, toError } from '../errors.ts';
import { type ByteText, decodeByteText } from './byte-text.ts';
import { headerField } from './catalog-header.ts';
import { findCatalogs } from './find-catalogs.ts';
import { DivisionByZero, type PluralExpression, parsePluralExpression } from './plural-expression.ts';
import { MoDamage, readMo } from './read-mo.ts';

export interface WantedMessage {
  msgid: string;
  context?: string;
  /** The text for several, with how many they are. */
  plural?: string;
  count?: number;
}

/** The compiled messages of one reader's language. */
export interface Messages {
  /** As gettext finds it, in the nearest locale that has it; undefined where none has. */
  find(wanted: WantedMessage): string | undefined;
}

export interface FindMessagesOptions {
  /** Absolute folders with catalogs, as `compile-translations` searches them. */
  roots: readonly string[];
  /** The nearest first: `pt_BR`, `pt`. */
  locales: readonly string[];
  signal: AbortSignal;
}

/**
 * The site's own compiled catalogs for a reader. Where they are is found out once per process; a .mo file that was
 * replaced is read anew.
 *
 * @throws TendError CATALOG_INVALID for a damaged .mo file or a root that is not there.
 */
export async function findMessages(options: FindMessagesOptions): Promise<Messages> {
  const catalogs: Catalog[] = [];
  for (const path of await findFiles(options)) {
    const catalog = await readCatalog(path);
    if (catalog !== undefined) catalogs.push(catalog);
  }
  return {
    find(wanted) {
      for (const catalog of catalogs) {
        const found = findIn(catalog, wanted);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

const knownFiles = new Map<string, string[]>();

async function findFiles({ roots, locales, signal }: FindMessagesOptions): Promise<string[]> {
  const key = [...roots, '', ...locales].join('\0');
  const known = knownFiles.get(key);
  if (known !== undefined) return known;
  const files: string[] = [];
  for (const locale of locales) {
    files.push(...(await outputsOf({ roots, locales: [locale], signal })));
  }
  knownFiles.set(key, files);
  return files;
}

/** What is missing here may be put in place, where a command that was typed has to be typed again. */
async function outputsOf(options: FindMessagesOptions): Promise<string[]> {
  try {
    return (await findCatalogs({ ...options, excluded: [] })).map(({ output }) => output);
  } catch (cause) {
    if (!(cause instanceof TendError) || cause.code !== 'INPUT_MISSING') throw cause;
    throw new TendError('CATALOG_INVALID', `The catalogs cannot be looked for: ${cause.message}`, {
      cause,
      hint: 'Name the folders that are there in tend.toml: [translations] paths.',
    });
  }
}

interface Catalog {
  values: ReadonlyMap<ByteText, ByteText>;
  pluralForm: PluralExpression;
}

const knownCatalogs = new Map<string, { version: string; catalog: Catalog }>();

/** Undefined where it is not compiled: gettext then shows the text of the program, too. */
async function readCatalog(path: string): Promise<Catalog | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return undefined;
  const version = `${stats.ino}:${stats.mtimeMs}:${stats.size}`;
  const known = knownCatalogs.get(path);
  if (known?.version === version) return known.catalog;
  const catalog = await parseCatalog(path);
  knownCatalogs.set(path, { version, catalog });
  return catalog;
}

async function parseCatalog(path: string): Promise<Catalog> {
  try {
    const values = new Map<ByteText, ByteText>();
    for (const { key, value } of readMo(await readFile(path))) values.set(key.split('\0', 1)[0] ?? '', value);
    return { values, pluralForm: pluralFormOf(values.get('') ?? '') };
  } catch (cause) {
    const reason = cause instanceof MoDamage ? cause.message : toError(cause).message;
    throw new TendError('CATALOG_INVALID', `The compiled catalog "${path}" cannot be read: ${reason}.`, {
      cause,
      hint: 'tend compile-translations --force',
    });
  }
}

/** What gettext does without a usable header: one thing is singular, all else is not. */
const germanic: PluralExpression = (n) => (n === 1n ? 0n : 1n);

function pluralFormOf(header: ByteText): PluralExpression {
  const text = /plural=([^;]*)/.exec(headerField(header, 'Plural-Forms') ?? '')?.[1];
  return (text === undefined ? undefined : parsePluralExpression(text.trim())) ?? germanic;
}

function findIn({ values, pluralForm }: Catalog, wanted: WantedMessage): string | undefined {
  const { msgid, context, count } = wanted;
  // The empty msgid is the header.
  if (msgid === '') return undefined;
  const key = Buffer.from(context === undefined ? msgid : `${context}\u0004${msgid}`).toString('latin1');
  const value = values.get(key);
  if (value === undefined) return undefined;
  const forms = value.split('\0');
  const form = forms[count === undefined ? 0 : formOf(pluralForm, count)];
  return form === undefined || form === '' ? undefined : decodeByteText(form);
}

function formOf(pluralForm: PluralExpression, count: number): number {
  try {
    return Number(pluralForm(BigInt(Math.trunc(Math.abs(count)))));
  } catch (error) {
    if (error instanceof DivisionByZero) return 0;
    throw error;
  }
}
