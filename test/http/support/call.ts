import * as v from 'valibot';
import { configSchema } from '../../../src/config/schema.ts';
import { callService, type ServiceAnswer } from '../../../src/http/call-service.ts';
import { httpRequestSchema } from '../../../src/http/http-request.ts';
import { findHttpSettings } from '../../../src/http/http-settings.ts';
import { type ResolveHost, resolveBySystem } from '../../../src/http/permitted-addresses.ts';
import { SecretRegistry } from '../../../src/redact.ts';

export interface CallOptions {
  /** `[http]` of the configuration. */
  http?: Record<string, unknown>;
  env?: Record<string, string>;
  resolveHost?: ResolveHost;
  idempotencyKey?: string | null;
  signal?: AbortSignal;
  secrets?: SecretRegistry;
}

const loopback = ['127.0.0.1', '::1'];

/** Calls a service as the handler does; `payload` and `http` are checked as in a task and in tend.toml. */
export async function call(payload: object, options: CallOptions = {}): Promise<ServiceAnswer> {
  const config = v.parse(configSchema, { http: { allow_private: loopback, ...options.http } });
  const { env = {}, secrets = new SecretRegistry() } = options;
  return await callService({
    request: v.parse(httpRequestSchema, payload),
    settings: findHttpSettings({ config, baseDirectory: '/', env, secrets }),
    idempotencyKey: options.idempotencyKey ?? null,
    resolveHost: options.resolveHost ?? resolveBySystem,
    signal: options.signal ?? new AbortController().signal,
  });
}
