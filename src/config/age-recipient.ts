import * as v from 'valibot';

const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
/** BIP 173, "Checksum". */
const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/**
 * Somebody a backup is encrypted to: the public half of a key that `age-keygen` makes. Its checksum is verified here,
 * when the configuration is read: a backup that nobody can open would be noticed on the worst day.
 */
export const ageRecipient = v.pipe(
  v.string('a list of strings was expected'),
  v.rawCheck(({ dataset, addIssue }) => {
    const problem = dataset.typed ? recipientProblem(dataset.value) : undefined;
    if (problem !== undefined) addIssue({ message: problem });
  }),
);

/** What is wrong with a recipient; undefined where nothing is. A secret key in the wrong place is not quoted. */
function recipientProblem(text: string): string | undefined {
  if (/^age-(secret-key|plugin)-/i.test(text))
    return 'this is a secret key, which does not belong here: age-keygen -y FILE prints the recipient';
  if (/^(ssh-|ecdsa-|sk-)/.test(text))
    return 'SSH keys cannot be used, only recipients of age ("age1…"): age-keygen makes one';
  if (/^age1[a-z0-9]+1/.test(text))
    return `"${text.slice(0, 12)}…" is of a kind that cannot be used, only the plain recipients of age-keygen can`;
  if (!text.startsWith('age1')) return 'a recipient of age ("age1…") was expected';
  if (!/^age1[a-z0-9]{58}$/.test(text))
    return `"${text}" is no recipient of age: it has ${text.length} characters, not 62 small letters and digits`;
  return hasChecksum(text)
    ? undefined
    : `"${text}" is no recipient of age: it is mistyped, its checksum differs`;
}

/** Bech32 (BIP 173), as age uses it for keys of X25519. */
function hasChecksum(text: string): boolean {
  const [prefix, data] = [text.slice(0, 3), text.slice(4)];
  const values = [...data].map((character) => alphabet.indexOf(character));
  if (values.includes(-1)) return false;
  const codes = [...prefix].map((character) => character.charCodeAt(0));
  return polymod([...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31), ...values]) === 1;
}

function polymod(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [bit, term] of generator.entries()) if ((top >>> bit) & 1) sum ^= term;
  }
  return sum >>> 0;
}
