import { findPublishedKey } from '../../mail/dkim/find-published-key.ts';
import type { DoctorCheck } from './doctor-check.ts';

const faults = {
  missing: 'is not in DNS',
  revoked: 'says that the key has been revoked (p= is empty)',
  other: 'holds another key',
};

/** Receivers find in DNS the key that messages are signed with. */
export const checkDkim: DoctorCheck = {
  name: 'dkim',
  needs: 'configuration',
  async run({ loadedConfig, dnsServers }) {
    const published = await findPublishedKey({ ...loadedConfig, dnsServers });
    if (published === undefined) return { status: 'ok', text: 'messages are not signed here' };
    const { name } = published;
    switch (published.state) {
      case 'same':
        return { status: 'ok', text: `the key is at ${name}` };
      case 'unknown':
        return {
          status: 'warn',
          text: `${name} cannot be looked up from here: ${published.reason}`,
          fix: `Look it up elsewhere: dig +short TXT ${name}`,
        };
      default:
        return {
          status: 'fail',
          text: `${name} ${faults[published.state]}: receivers find every signature bad`,
          fix: `Publish the TXT record ${name}: ${published.wanted}`,
        };
    }
  },
};
