interface DemoLocale {
  pluralForms: string;
  readMore: string;
  search: string;
  publishedOn: string;
  comments: readonly string[];
  /** Marked fuzzy: a guess that nobody has checked, which users must not see. */
  fuzzyArchive?: string;
}

const locales: Record<string, DemoLocale> = {
  de: {
    pluralForms: 'nplurals=2; plural=(n != 1);',
    readMore: 'Weiterlesen',
    search: 'Suche',
    publishedOn: 'Veröffentlicht am %(date)s',
    comments: ['%(count)d Kommentar', '%(count)d Kommentare'],
  },
  fr: {
    pluralForms: 'nplurals=2; plural=(n > 1);',
    readMore: 'Lire la suite',
    search: 'Rechercher',
    publishedOn: 'Publié le %(date)s',
    comments: ['%(count)d commentaire', '%(count)d commentaires'],
    fuzzyArchive: 'Architecture',
  },
  pl: {
    pluralForms: 'nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);',
    readMore: 'Czytaj dalej',
    search: 'Szukaj',
    publishedOn: 'Opublikowano %(date)s',
    comments: ['%(count)d komentarz', '%(count)d komentarze', '%(count)d komentarzy'],
  },
};

/** The message whose translations the quickstart looks up in the compiled catalogs. */
export const sampleMessage = 'Read more';

/** The demo site's message catalogs: the text of a .po file by locale. */
export function demoCatalogs(): { locale: string; po: string; sample: string }[] {
  return Object.entries(locales).map(([locale, messages]) => ({
    locale,
    po: toPo(locale, messages),
    sample: messages.readMore,
  }));
}

function toPo(locale: string, messages: DemoLocale): string {
  const plurals = messages.comments.map((text, index) => `msgstr[${index}] "${text}"`);
  return `\
msgid ""
msgstr ""
"Project-Id-Version: cms\\n"
"Language: ${locale}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: ${messages.pluralForms}\\n"

#: templates/article.html:12
msgid "${sampleMessage}"
msgstr "${messages.readMore}"

#: templates/base.html:31
msgid "Search"
msgstr "${messages.search}"

#: templates/article.html:8
#, python-format
msgid "Published on %(date)s"
msgstr "${messages.publishedOn}"

#: templates/article.html:20
#, python-format
msgid "%(count)d comment"
msgid_plural "%(count)d comments"
${plurals.join('\n')}
${messages.fuzzyArchive === undefined ? '' : fuzzy('Archive', messages.fuzzyArchive)}`;
}

function fuzzy(message: string, guess: string): string {
  return `
#: templates/base.html:40
#, fuzzy
msgid "${message}"
msgstr "${guess}"
`;
}
