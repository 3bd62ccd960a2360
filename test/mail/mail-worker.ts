// Sends the tasks given, one after the other, as a worker does: to be killed at any moment.
// Environment: TASKS (ids), PORT (of the mail server), CONNECTION (ConnectionSettings as JSON).
import { systemClock } from '../../src/clock.ts';
import type { ConnectionSettings } from '../../src/connection/settings.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { silentLog } from '../../src/log.ts';
import { Courier } from '../../src/mail/delivery/courier.ts';
import { DeliveryStore } from '../../src/mail/delivery/delivery-store.ts';
import { sendForTask } from '../../src/mail/delivery/send-for-task.ts';
import { SecretRegistry } from '../../src/redact.ts';
import { mailSettingsFor } from './support/mail-settings-for.ts';

const connection: ConnectionSettings = JSON.parse(process.env.CONNECTION ?? '{}');
const settings = mailSettingsFor(Number(process.env.PORT));
const place = { baseDirectory: '/', env: {}, secrets: new SecretRegistry() };
await using db = openDatabase({ connection, applicationName: 'mail-worker' });
await using courier = new Courier({ settings, db, ...place });

for (const taskId of JSON.parse(process.env.TASKS ?? '[]')) {
  await sendForTask({
    taskId,
    message: { to: `user${taskId}@x.test`, subject: 'Storm', text: `Message of task ${taskId}` },
    settings,
    courier,
    store: new DeliveryStore(db),
    isRepeated: true,
    isByHand: false,
    baseDirectory: '/',
    clock: systemClock,
    signal: new AbortController().signal,
    log: silentLog,
  });
}
