import { shellWord } from '../shell-word.ts';

const tick = 'run-due-tasks';

/**
 * The command of a crontab with other words in place of `run-due-tasks`, so that it can be tried without a tick.
 * Undefined where it is more than words and `cd DIRECTORY &&`: what else a shell would do there is not for us to do.
 * Redirections and pipes behind the tick are left out.
 */
export function probeCommand(command: string, words: readonly string[]): string | undefined {
  const before: string[] = [];
  let directory = '';
  for (const word of readWords(command)) {
    if (word === undefined) return undefined;
    if (word.text === tick) return directory + [...before, ...words].map(written).join(' ');
    const isChange = word.text === '&&' && before.length === 2 && before[0] === 'cd';
    if (isChange) directory += `cd ${shellWord(before.splice(0)[1] ?? '')} && `;
    else if (word.isOperator) return undefined;
    else before.push(word.text);
  }
  return undefined;
}

/** What `--config` says behind `run-due-tasks`; undefined where it is not given in plain words. */
export function configOfTick(command: string): string | undefined {
  const words = [...readWords(command)].map((word) => word?.text ?? '');
  const behind = words.slice(words.indexOf(tick) + 1);
  const place = behind.indexOf('--config');
  const joined = behind.find((word) => word.startsWith('--config='))?.slice('--config='.length);
  return place < 0 ? joined : behind[place + 1];
}

/** Where a command changes to before it calls tend; undefined where it stays in the user's home. */
export function directoryOfTick(command: string): string | undefined {
  const words = [...readWords(command)].map((word) => word?.text);
  return words[0] === 'cd' && words[2] === '&&' ? words[1] : undefined;
}

/** An assignment before the command is one only while its name is not quoted. */
function written(word: string): string {
  const [, name, value] = /^([A-Za-z_]\w*=)(.*)$/s.exec(word) ?? [];
  return name === undefined || value === undefined ? shellWord(word) : name + (value && shellWord(value));
}

interface Word {
  text: string;
  isOperator: boolean;
}

const piece = /'([^']*)'|"([^"$`\\]*)"|\\(.)|([^\s'"\\$`;|&<>()*?[\]#~!{}]+)/y;

/** Word by word; undefined, and then no more, where a word is not plain: a variable, a pattern, a quote that is open. */
function* readWords(command: string): Generator<Word | undefined> {
  let place = 0;
  while (place < command.length) {
    const blank = /[ \t]*/y;
    blank.lastIndex = place;
    place += blank.exec(command)?.[0].length ?? 0;
    if (place >= command.length) return;
    if (command.startsWith('&&', place)) {
      yield { text: '&&', isOperator: true };
      place += 2;
      continue;
    }
    let text = '';
    const began = place;
    piece.lastIndex = place;
    for (let found = piece.exec(command); found !== null; found = piece.exec(command)) {
      text += found[1] ?? found[2] ?? found[3] ?? found[4] ?? '';
      place = piece.lastIndex;
    }
    if (place === began || (place < command.length && !/[ \t;|&<>]/.test(command.charAt(place)))) {
      yield undefined;
      return;
    }
    yield { text, isOperator: false };
  }
}
