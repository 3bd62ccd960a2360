export interface DemoConfigOptions {
  /** Directory of the server's socket; has no characters that a URL gives a meaning to. */
  serverDirectory: string;
  port: number;
  /** Directory of `pg_dump`. */
  binaries: string;
  mailUrl: string;
}

/** The demo site's tend.toml. */
export function demoConfig({ serverDirectory, port, binaries, mailUrl }: DemoConfigOptions): string {
  return `\
# The demo site of "tend quickstart". Relative paths are relative to this file.

[database]
url = "postgresql://cms_owner@/cms?host=${serverDirectory}&port=${port}"

[backup]
directory = "backups"
tools_directory = ${tomlString(binaries)}

[translations]
paths = ["i18n"]

[mail]
url = "${mailUrl}"
from = "CMS <cms@example.org>"

# A command of the application's own. Tasks name the kind and bring a payload; they never bring a command.
[tasks.kinds.resize-images]
command = ["sh", "bin/resize-images"]
timeout = "1m"
mutex = "media"
`;
}

/** TOML's basic strings have JSON's escapes. */
function tomlString(text: string): string {
  return JSON.stringify(text);
}
