import { describe, expect, it } from 'vitest';
import { resolveReference } from '../../src/config/resolve-reference.ts';
import { SecretRegistry } from '../../src/redact.ts';

describe('a reference', () => {
  it('is read from the environment, and its value is a secret from then on', () => {
    const secrets = new SecretRegistry();
    const env = { SMTP_URL: 'smtp://me:canary%2B1@mail:587' };
    expect(resolveReference({ value: 'env:SMTP_URL', key: 'mail.url', env, secrets })).toBe(env.SMTP_URL);
    expect(secrets.redact(`${env.SMTP_URL} canary%2B1 canary+1`)).toBe('*** *** ***');
  });

  it.each(['smtp://mail', 'environment', 'env:', 'env:NOT A NAME', ' env:X'])(
    '%j is none: it is the value itself',
    (value) => {
      expect(resolveReference({ value, key: 'mail.url', env: {}, secrets: new SecretRegistry() })).toBe(
        value,
      );
    },
  );

  it.each([
    { env: {}, why: 'not set' },
    { env: { SMTP_URL: '' }, why: 'empty' },
  ])('names key and variable when the variable is $why', ({ env, why }) => {
    const resolve = () =>
      resolveReference({ value: 'env:SMTP_URL', key: 'mail.url', env, secrets: new SecretRegistry() });
    expect(resolve).toThrow(
      `The setting mail.url refers to the environment variable SMTP_URL, which is ${why}`,
    );
    expect(resolve).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', exitCode: 78 }));
  });
});
