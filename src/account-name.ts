import { userInfo } from 'node:os';

/**
 * Name of the operating system's account that runs this program. A uid without an entry in the password file is no
 * error, and has none: containers run as such.
 */
export function accountName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
