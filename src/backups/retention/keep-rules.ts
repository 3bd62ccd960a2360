import type { Config } from '../../config/schema.ts';

/** What `keep` says: how many sets of each kind stay. */
export type KeepRules = NonNullable<Config['backup']['keep']>;

/** The rules for a place: those of the remote where it has some of its own, else `[backup] keep`; empty where none are set. */
export function keepRulesFor(config: Config, remote: string | undefined): KeepRules {
  return ownKeepRules(config, remote) ?? config.backup.keep ?? {};
}

/** `[backup.remotes.NAME] keep`; undefined where the remote goes by `[backup] keep`. */
export function ownKeepRules(config: Config, remote: string | undefined): KeepRules | undefined {
  return remote === undefined ? undefined : config.backup.remotes[remote]?.keep;
}

/** Whether the rules keep anything at all: where they do not, nothing may be removed by them. */
export function isRetentionConfigured(keep: KeepRules): boolean {
  return Object.values(keep).some((count) => (count ?? 0) > 0);
}
