import { checkApplication } from './check-application.ts';
import { checkBackupAge } from './check-backup-age.ts';
import { checkBackupCount } from './check-backup-count.ts';
import { checkBackupDirectory } from './check-backup-directory.ts';
import { checkBackupSize } from './check-backup-size.ts';
import { checkBackupTask } from './check-backup-task.ts';
import { checkBackupVerified } from './check-backup-verified.ts';
import { checkCatalogs } from './check-catalogs.ts';
import { checkClientVersions } from './check-client-versions.ts';
import { checkClock } from './check-clock.ts';
import { checkConfiguration } from './check-configuration.ts';
import { checkConnectionTrend } from './check-connection-trend.ts';
import { checkConnections } from './check-connections.ts';
import { checkCronEnvironment } from './check-cron-environment.ts';
import { checkDatabase } from './check-database.ts';
import { checkDiskSpace } from './check-disk-space.ts';
import { checkDkim } from './check-dkim.ts';
import { checkFailedTasks } from './check-failed-tasks.ts';
import { checkFailureMail } from './check-failure-mail.ts';
import { checkHealth } from './check-health.ts';
import { checkHeldTasks } from './check-held-tasks.ts';
import { checkIdentity } from './check-identity.ts';
import { checkIdleInTransaction } from './check-idle-in-transaction.ts';
import { checkKeptDatabases } from './check-kept-databases.ts';
import { checkMailHandshake } from './check-mail-handshake.ts';
import { checkMailServers } from './check-mail-servers.ts';
import { checkMissedOccurrences } from './check-missed-occurrences.ts';
import { checkPgDump } from './check-pg-dump.ts';
import { checkPrivileges } from './check-privileges.ts';
import { checkRestoreTest } from './check-restore-test.ts';
import { checkSchedules } from './check-schedules.ts';
import { checkSchema } from './check-schema.ts';
import { checkStuckTasks } from './check-stuck-tasks.ts';
import { checkTicks } from './check-ticks.ts';
import { checkTimeZones } from './check-time-zones.ts';
import { checkUnfinishedRestore } from './check-unfinished-restore.ts';
import { checkUnknownDeliveries } from './check-unknown-deliveries.ts';
import { checkUnknownKinds } from './check-unknown-kinds.ts';
import { checkXminHorizon } from './check-xmin-horizon.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** Every check of `tend doctor`, each after the one that it needs. */
export const doctorChecks: readonly DoctorCheck[] = [
  ...[checkConfiguration, checkDatabase, checkSchema, checkIdentity],
  ...[checkCronEnvironment, checkTicks, checkStuckTasks, checkHeldTasks, checkFailedTasks, checkUnknownKinds],
  ...[checkFailureMail, checkMissedOccurrences, checkSchedules, checkHealth],
  ...[checkUnfinishedRestore, checkKeptDatabases],
  ...[checkBackupTask, checkBackupAge, checkBackupDirectory, checkBackupCount, checkBackupSize],
  ...[checkBackupVerified, checkRestoreTest],
  ...[checkPrivileges, checkConnections, checkConnectionTrend, checkIdleInTransaction, checkXminHorizon],
  ...[checkMailServers, checkUnknownDeliveries, checkCatalogs],
  ...[checkMailHandshake, checkDkim, checkApplication, checkDiskSpace, checkTimeZones],
  ...[checkClock, checkPgDump, checkClientVersions],
];
