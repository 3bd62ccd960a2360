/** Every state a task can be in. Text with CHECK in the database, so that a new one needs no type change. */
export const taskStates = [
  'waiting',
  'running',
  'succeeded',
  'failed',
  'held',
  'cancelled',
  'missed',
] as const;

export type TaskState = (typeof taskStates)[number];

export interface Transition {
  from: TaskState;
  to: TaskState;
  /** Who performs it. `worker` transitions are fenced by the lease token, all are guarded by the old state. */
  by: 'worker' | 'reaper' | 'person' | 'scheduler';
  when: string;
}

/** The state machine as data: docs draw it, tests walk it, and nothing else moves a task. */
export const transitions: readonly Transition[] = [
  {
    from: 'waiting',
    to: 'running',
    by: 'worker',
    when: 'claimed: due, not paused, kind known here, mutex free, below the limits',
  },
  { from: 'running', to: 'succeeded', by: 'worker', when: 'the handler finished' },
  {
    from: 'running',
    to: 'waiting',
    by: 'worker',
    when: 'failed with attempts left, postponed, or given back',
  },
  { from: 'running', to: 'failed', by: 'worker', when: 'permanent error, or no attempts left' },
  { from: 'running', to: 'held', by: 'worker', when: 'outcome unknown, or a change could not be put back' },
  {
    from: 'running',
    to: 'cancelled',
    by: 'worker',
    when: 'cancel was requested, or superseded by its unique key',
  },
  { from: 'running', to: 'waiting', by: 'reaper', when: 'lease expired or worker dead, attempts left' },
  { from: 'running', to: 'failed', by: 'reaper', when: 'lost with no attempts left' },
  { from: 'running', to: 'held', by: 'reaper', when: 'lost and on_lost = hold' },
  { from: 'running', to: 'cancelled', by: 'reaper', when: 'lost after a cancel request, or superseded' },
  { from: 'waiting', to: 'cancelled', by: 'person', when: 'tasks cancel, doctor --adopt' },
  { from: 'waiting', to: 'held', by: 'person', when: 'restore elsewhere, doctor --adopt' },
  { from: 'running', to: 'held', by: 'person', when: 'restore elsewhere, doctor --adopt' },
  { from: 'running', to: 'cancelled', by: 'person', when: 'doctor --adopt --unfinished cancel' },
  { from: 'waiting', to: 'missed', by: 'scheduler', when: 'an occurrence that came too late' },
  { from: 'held', to: 'waiting', by: 'person', when: 'tasks resolve --retry, doctor --adopt' },
  { from: 'held', to: 'succeeded', by: 'person', when: 'tasks resolve --done' },
  { from: 'held', to: 'cancelled', by: 'person', when: 'tasks resolve --drop, tasks cancel, doctor --adopt' },
  { from: 'failed', to: 'waiting', by: 'person', when: 'tasks retry' },
  { from: 'cancelled', to: 'waiting', by: 'person', when: 'tasks retry' },
  { from: 'missed', to: 'waiting', by: 'person', when: 'tasks retry' },
];
