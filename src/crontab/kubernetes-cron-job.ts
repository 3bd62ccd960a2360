import { dirname } from 'node:path';
import type { TickCall } from './tick-call.ts';

export interface KubernetesCronJobOptions {
  /** The application's image, with tend in it; a name to be replaced where it is undefined. */
  image: string | undefined;
  /** Absolute; a volume that outlives the pod. Undefined where no backups are made. */
  backupDirectory: string | undefined;
}

/**
 * A CronJob that ticks. Node and tend are those of the image, so no path of this host but the site's folder is in it. Why
 * each line stands there: docs/operations.md.
 */
export function kubernetesCronJob(call: TickCall, options: KubernetesCronJobOptions): string {
  const { name, configPath } = call;
  const { backupDirectory, image = `registry.example.org/${name}:1.0` } = options;
  const hasBackups = backupDirectory !== undefined;
  return `\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: ${name}-tend
spec:
  schedule: "* * * * *"
  concurrencyPolicy: Allow # a tick that works on a long task must not keep the next one from coming
  startingDeadlineSeconds: 30 # a pod that could not start in time is no loss: the next one does it
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 5
  jobTemplate:
    spec:
      backoffLimit: 0 # retries are the queue's
      template:
        metadata:
          annotations:
            cluster-autoscaler.kubernetes.io/safe-to-evict: "false" # not in the middle of a backup
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 1860 # more than the longest grace of a kind; most end within tasks.grace
          securityContext:
            runAsNonRoot: true
            runAsUser: 1000
            fsGroup: 1000
          containers:
            - name: tend
              image: ${yamlText(image)}
              command: [tend, run-due-tasks, --config, ${yamlText(configPath)}]
              workingDir: ${yamlText(dirname(configPath))}
              env:
                - name: TEND_TASKS_HOST # the name of the pod is another each minute
                  value: ${yamlText(name)}
                - name: TEND_DATABASE_URL
                  valueFrom:
                    secretKeyRef:
                      name: ${name}-database
                      key: url
              resources:
                requests: { cpu: 100m, memory: 128Mi }
              securityContext:
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                capabilities: { drop: [ALL] }
              volumeMounts:
${hasBackups ? `                - { name: backups, mountPath: ${yamlText(backupDirectory)} }\n` : ''}\
                - { name: tmp, mountPath: /tmp }
          volumes:
${hasBackups ? `            - name: backups\n              persistentVolumeClaim: { claimName: ${name}-backups }\n` : ''}\
            - name: tmp
              emptyDir: {}
`;
}

/** YAML's double quotes have JSON's escapes; what could be read as a number, a boolean or a comment is quoted. */
function yamlText(text: string): string {
  return /^[A-Za-z/][\w./:-]*\w$/.test(text) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
