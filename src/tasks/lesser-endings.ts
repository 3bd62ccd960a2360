import { toError } from '../errors.ts';
import type { AttemptEnding } from './finish-attempts.ts';

/**
 * What is written instead of an ending that the server refuses, to be tried in this order; each is told of the refusal
 * before it. How it ended matters most: what it printed and proved is left out first. If the follow-up tasks are what is
 * refused, the ending is that of a failure for good that names them, since nobody else would ever know of them.
 */
export function lesserEndings(ending: AttemptEnding): ((refusal: unknown) => AttemptEnding)[] {
  const bare = () => withoutExtras(ending);
  if (ending.followUps.length === 0) return [bare];
  return [bare, failedFor(ending), (refusal) => withoutExtras(failedFor(ending)(refusal))];
}

/** Leaves out what the server, or JSON, may have refused: evidence that is no JSON, a number out of range. */
function withoutExtras(ending: AttemptEnding): AttemptEnding {
  return { ...ending, exitCode: null, evidence: null, outputTail: null };
}

function failedFor(ending: AttemptEnding): (refusal: unknown) => AttemptEnding {
  return (refusal) => {
    const why = toError(refusal).message.replace(/^tend\.enqueue: /, '');
    const refused = `Its follow-up tasks were not enqueued (${listOf(ending)}): ${why}`;
    const error = ending.error === null ? refused : `${ending.error}\n${refused}`;
    // A person will look at what is held in any case.
    if (ending.state === 'held') return { ...ending, error, followUps: [] };
    return { ...ending, outcome: 'failed', state: 'failed', reason: 'permanent error', error, followUps: [] };
  };
}

/** `send-mail, backup on web1, 3 × prune` */
function listOf({ followUps }: AttemptEnding): string {
  const counts = new Map<string, number>();
  for (const { kind, host } of followUps) {
    const name = host === undefined ? kind : `${kind} on ${host}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const names = [...counts].map(([name, count]) => (count === 1 ? name : `${count} × ${name}`));
  return names.length <= 20 ? names.join(', ') : `${names.slice(0, 20).join(', ')}, …`;
}
