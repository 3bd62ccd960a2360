import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { demoCatalogs } from './demo-catalogs.ts';
import { type DemoConfigOptions, demoConfig } from './demo-config.ts';
import { countRowsSql, queueTasksSql, rolesSql, sessionsLeftSql, siteSql } from './demo-sql.ts';

/** A command of the application's own, as one might have it: JSON on standard input, files as the result. */
const resizeImages = `\
#!/bin/sh
# Makes small copies of the site's images. The task's payload comes on standard input: {"width": 320}
set -eu
width=$(sed -n 's/.*"width": *\\([0-9][0-9]*\\).*/\\1/p')
[ -n "$width" ] || { echo 'resize-images: the payload has no "width"' >&2; exit 65; }
mkdir -p "media/$width"
for image in media/*.svg; do
  sed "s/width=\\"[0-9]*\\"/width=\\"$width\\"/" "$image" >"media/$width/\${image##*/}"
  echo "media/$width/\${image##*/}"
done
`;

/** psql's own exit status says nothing about a file's statements otherwise. */
const stopAtErrors = '\\set ON_ERROR_STOP on\n\n';

function image(color: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1600" viewBox="0 0 16 9">
  <rect width="16" height="9" fill="${color}"/>
</svg>
`;
}

/** Names of the demo site's images. */
export const demoImages = { 'harbour.svg': 'steelblue', 'lighthouse.svg': 'gold', 'tide.svg': 'teal' };

/** Writes the demo site's files into `directory`, which must be new or empty. */
export async function writeDemoSite(options: DemoConfigOptions & { directory: string }): Promise<void> {
  const { directory } = options;
  const files: Record<string, string> = {
    'tend.toml': demoConfig(options),
    'bin/resize-images': resizeImages,
    'sql/roles.sql': stopAtErrors + rolesSql,
    'sql/site.sql': stopAtErrors + siteSql,
    'sql/queue-tasks.sql': stopAtErrors + queueTasksSql,
    'sql/count-rows.sql': stopAtErrors + countRowsSql,
    'sql/sessions-left.sql': stopAtErrors + sessionsLeftSql,
  };
  for (const [name, color] of Object.entries(demoImages)) files[`media/${name}`] = image(color);
  for (const { locale, po } of demoCatalogs()) files[catalogFile(locale, 'po')] = po;
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content, { mode: name.startsWith('bin/') ? 0o755 : 0o644 });
  }
}

/** Where a catalog stands below the demo site's directory. */
export function catalogFile(locale: string, extension: 'po' | 'mo'): string {
  return `i18n/${locale}/LC_MESSAGES/cms.${extension}`;
}
