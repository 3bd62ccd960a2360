// Sends the tasks given, one after the other, as a worker does: to be killed at any moment.
// Environment: TASKS (ids), PORT (of the mail server), CONNECTION (ConnectionSettings as JSON).
import { systemClock } from '../../src/clock.ts';
import type { ConnectionSettings } from '../../src/connection/settings.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { silentLog } from '../../src/log.ts';
import { sendForTask } from '../../src/mail/send-for-task.ts';

const connection: ConnectionSettings = JSON.parse(process.env.CONNECTION ?? '{}');
await using db = openDatabase({ connection, applicationName: 'mail-worker' });

for (const taskId of JSON.parse(process.env.TASKS ?? '[]')) {
  await sendForTask({
    taskId,
    message: { to: `user${taskId}@x.test`, subject: 'Storm', text: `Message of task ${taskId}` },
    settings: {
      transport: {
        type: 'smtp',
        host: '127.0.0.1',
        port: Number(process.env.PORT),
        security: 'loopback',
        credentials: undefined,
        caFile: undefined,
        timeoutMs: 20_000,
      },
      defaultFrom: 'cms@example.org',
      redirectAll: undefined,
      onUnknown: 'hold',
      attachmentsFrom: [],
    },
    db,
    baseDirectory: '/',
    clock: systemClock,
    signal: new AbortController().signal,
    log: silentLog,
  });
}
