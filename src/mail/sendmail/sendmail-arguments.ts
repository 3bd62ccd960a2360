import { TendError } from '../../errors.ts';

/** What a caller of sendmail(8) asked for. */
export interface SendmailRequest {
  recipients: string[];
  /** `-t`: the recipients of To, Cc and Bcc too. */
  readsRecipients: boolean;
  /** False with `-i` and `-oi`: a line of a lone dot is then text like any other. */
  endsAtDot: boolean;
  /** `-f`, `-r`: the envelope's sender; empty for `<>`. */
  sender: string | undefined;
  /** `-F`. */
  fullName: string | undefined;
  /** `-C`: sendmail's configuration file, and here `tend.toml`: PHP-FPM and cron start programs in other directories. */
  config: string | undefined;
}

/** Letters whose value is the rest of the word, or the next word. */
const withValue = 'BCDFLNORVXfhpr';
/** Letters whose value is the rest of the word: `-oi`, `-bm`, `-Am`, `-em`, `-d0.1`, `-q30m`. */
const withAttached = 'Abdeoq';
const alone = 'GUimnstvx';

/**
 * Reads the arguments cron, PHP, git and every program since 1983 give to sendmail. What only a real mail server could
 * do (`-bs`, `-bd`, `-q`) is refused; what tunes one (`-B8BITMIME`, `-oem`, `-N never`) is accepted and means nothing.
 *
 * @throws TendError USAGE.
 */
export function parseSendmailArguments(argv: readonly string[]): SendmailRequest {
  const request: SendmailRequest = {
    recipients: [],
    readsRecipients: false,
    endsAtDot: true,
    sender: undefined,
    fullName: undefined,
    config: undefined,
  };
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      request.recipients.push(...rest.splice(0));
    } else if (word.startsWith('-') && word.length > 1) {
      for (const [letter, value] of readLetters(word, rest)) apply(request, letter, value);
    } else {
      request.recipients.push(word);
    }
  }
  return request;
}

function* readLetters(word: string, rest: string[]): Generator<[letter: string, value: string]> {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word[at] ?? '';
    const attached = word.slice(at + 1);
    if (alone.includes(letter)) {
      yield [letter, ''];
      continue;
    }
    if (withAttached.includes(letter)) return yield [letter, attached];
    if (!withValue.includes(letter)) throw refuse(`-${letter}`, 'is not known');
    const value = attached === '' ? rest.shift() : attached;
    if (value === undefined) throw refuse(`-${letter}`, 'needs a value');
    return yield [letter, value];
  }
}

function apply(request: SendmailRequest, letter: string, value: string): void {
  if (letter === 't') request.readsRecipients = true;
  else if (letter === 'i' || (letter === 'o' && value === 'i')) request.endsAtDot = false;
  else if (letter === 'f' || letter === 'r') request.sender = value.replace(/^<(.*)>$/, '$1');
  else if (letter === 'F') request.fullName = value;
  else if (letter === 'C') request.config = value;
  else if (letter === 'q' || letter === 's')
    throw refuse(`-${letter}${value}`, 'is for a mail server with a queue');
  else if (letter === 'b' && value === 's')
    throw refuse(
      '-bs',
      'is for a mail server: let the program use "-t -i" instead (Symfony: sendmail://default?command=…)',
    );
  else if (letter === 'b' && value !== 'm') throw refuse(`-b${value}`, 'is for a mail server');
}

function refuse(option: string, reason: string): TendError {
  return new TendError('USAGE', `The option ${JSON.stringify(option)} ${reason}.`, {
    hint: 'tend-sendmail [-t] [-i] [-f SENDER] [-F NAME] [-C tend.toml] [RECIPIENT…] < message',
  });
}
