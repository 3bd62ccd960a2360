import * as v from 'valibot';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { readEnvironmentSettings } from '../../src/config/environment-settings.ts';
import { configSchema } from '../../src/config/schema.ts';
import { blockTitled, fencedBlocks } from '../support/fenced-blocks.ts';
import { longestGraceMs } from './longest-grace.ts';

/** The CronJob of docs/operations.md: the keys that matter, and why. */
const cronJob: unknown = parse(blockTitled(await fencedBlocks('docs/operations.md'), 'cronjob.yaml').text);

const named = v.object({ name: v.string() });
/** Strict where a misspelt or an unwanted key (`activeDeadlineSeconds`) would change what happens. */
const podSchema = v.object({
  restartPolicy: v.literal('Never'),
  terminationGracePeriodSeconds: v.number(),
  securityContext: v.object({ runAsNonRoot: v.literal(true) }),
  containers: v.tuple([
    v.object({
      command: v.tuple([v.literal('tend'), v.literal('run-due-tasks')]),
      workingDir: v.literal('/srv/cms'),
      env: v.array(v.object({ name: v.string(), value: v.optional(v.string(), 'from a secret') })),
      volumeMounts: v.array(named),
    }),
  ]),
  volumes: v.array(named),
});
const cronJobSchema = v.strictObject({
  apiVersion: v.literal('batch/v1'),
  kind: v.literal('CronJob'),
  metadata: named,
  spec: v.strictObject({
    schedule: v.literal('* * * * *'),
    concurrencyPolicy: v.literal('Allow'),
    startingDeadlineSeconds: v.number(),
    successfulJobsHistoryLimit: v.number(),
    failedJobsHistoryLimit: v.number(),
    jobTemplate: v.strictObject({
      spec: v.strictObject({
        backoffLimit: v.literal(0),
        template: v.strictObject({
          metadata: v.object({
            annotations: v.object({ 'cluster-autoscaler.kubernetes.io/safe-to-evict': v.literal('false') }),
          }),
          spec: podSchema,
        }),
      }),
    }),
  }),
});
const { spec } = v.parse(cronJobSchema, cronJob);
const pod = spec.jobTemplate.spec.template.spec;
const [container] = pod.containers;

it('a pod is given longer than the longest grace of a kind', () => {
  expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(longestGraceMs() + 30_000);
});

it('a pod that starts late is left out before the next, but not before the controller has looked', () => {
  // It looks every 10 seconds: "may not be scheduled" below that (CronJob, "Deadline for delayed Job start").
  expect(spec.startingDeadlineSeconds).toBeGreaterThan(10);
  expect(spec.startingDeadlineSeconds).toBeLessThan(60);
});

it('its variables are settings of tend, and the host is a name that stays', () => {
  const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
  const { settings, unknown } = readEnvironmentSettings({ env, schema: configSchema });
  expect(unknown).toEqual([]);
  expect(settings.map(({ path, value }) => [path.join('.'), value])).toEqual([
    ['tasks.host', 'cms'],
    ['database.url', 'from a secret'],
  ]);
  expect(v.parse(configSchema, { tasks: { host: env['TEND_TASKS_HOST'] } }).tasks.host).toBe('cms');
});

it('every volume that is mounted is there', () => {
  const volumes = pod.volumes.map(({ name }) => name);
  expect(container.volumeMounts.map(({ name }) => name)).toEqual(volumes);
});
