import { countOf } from '../count-of.ts';
import type { AdoptedCopy, UnfinishedChoice } from '../tasks/adopt-copy.ts';
import type { CopiedQueue, UnfinishedTasks } from '../tasks/find-copied-queue.ts';

/** What a copy has brought along, line by line, for who decides about it. */
export function describeCopy({ database, copiedFrom, unfinished, schedules }: CopiedQueue): string[] {
  if (copiedFrom === null) return [`Database "${database}" is its own already: there is nothing to adopt.`];
  const toDecide = unfinished.filter((tasks) => !isForAPerson(tasks));
  const forAPerson = unfinished.filter(isForAPerson);
  const heldByRestore = sum(unfinished.filter(({ isHeldByRestore }) => isHeldByRestore));
  const lines = [`Database "${database}" is a copy of ${copiedFrom}.`];
  lines.push(
    toDecide.length === 0
      ? 'It has no unfinished tasks.'
      : `It has ${countOf(sum(toDecide), 'unfinished task')}, ${heldByRestore} of them held by a restore:`,
  );
  lines.push(...toDecide.map(line));
  if (forAPerson.length > 0) {
    lines.push(`${sum(forAPerson)} more were held for a person before, and stay so:`);
    lines.push(...forAPerson.map(line));
  }
  if (schedules.length > 0) {
    const names = schedules.map(({ name, kind }) => `${name} (${kind})`).join(', ');
    lines.push(`Schedules made by SQL, which would go on here: ${names}.`);
  }
  return lines;
}

/** What an adoption has done, or would do. */
export function describeAdoption(adopted: AdoptedCopy, decision: UnfinishedChoice): string[] {
  const { found, changed, heldMails } = adopted;
  const [is, wait] = changed === 1 ? ['is', 'waits'] : ['are', 'wait'];
  const becomes = { hold: `${is} held`, cancel: `${is} cancelled`, run: `${wait} to be run` }[decision];
  const what = `${countOf(changed, 'unfinished task')} ${becomes}`;
  const lines = [`Database "${found.database}" has a queue of its own now; ${what}.`];
  if (decision === 'hold' && changed > 0)
    lines.push('Decide about each: tend tasks --state held, then tend tasks resolve ID --retry or --drop');
  if (heldMails > 0)
    lines.push(
      `${countOf(heldMails, 'mail')} ${heldMails === 1 ? 'is' : 'are'} held; each that shall be sent from here after all: tend tasks resolve ID --retry`,
    );
  const disabled = found.schedules.filter(({ kind }) => decision !== 'run' || kind === 'send-mail');
  if (disabled.length > 0) {
    const names = disabled.map(({ name }) => name).join(', ');
    lines.push(`Disabled are the schedules ${names}: tend schedules enable NAME`);
  }
  return lines;
}

function isForAPerson({ state, isHeldByRestore }: UnfinishedTasks): boolean {
  return state === 'held' && !isHeldByRestore;
}

function line({ kind, state, isHeldByRestore, count }: UnfinishedTasks): string {
  return `  ${String(count).padStart(6)}  ${kind}, ${isHeldByRestore ? 'held by a restore' : state}`;
}

function sum(tasks: readonly UnfinishedTasks[]): number {
  return tasks.reduce((total, { count }) => total + count, 0);
}
