import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConnectionString } from '../../src/connection/parse-connection-string.ts';
import { TendError } from '../../src/errors.ts';
import { SecretRegistry } from '../../src/redact.ts';

const parse = (text: string, secrets = new SecretRegistry()) =>
  parseConnectionString({ text, origin: 'DATABASE_URL', secrets });

describe('a connection string is read as libpq reads it', () => {
  test.each([
    ['postgresql://', {}],
    ['postgres://db', { host: 'db' }],
    ['postgresql://me@db:5433/cms', { user: 'me', host: 'db', port: '5433', dbname: 'cms' }],
    ['postgresql://me:p%40ss@db/cms', { user: 'me', password: 'p@ss', host: 'db', dbname: 'cms' }],
    ['postgresql://me:a:b@db', { user: 'me', password: 'a:b', host: 'db' }],
    ['postgresql://me:a+b%20c@db', { user: 'me', password: 'a+b c', host: 'db' }],
    ['postgresql://me:a?b@db', { user: 'me', password: 'a?b', host: 'db' }],
    ['postgresql://:only@db', { password: 'only', host: 'db' }],
    ['postgresql:///cms', { dbname: 'cms' }],
    ['postgresql://db/c%C5%82%2Fx', { host: 'db', dbname: 'cł/x' }],
    ['postgresql://[::1]:5433/cms', { host: '::1', port: '5433', dbname: 'cms' }],
    ['postgresql://[2001:db8::1%25eth0]/cms', { host: '2001:db8::1%eth0', dbname: 'cms' }],
    ['postgresql://a:1,b,[::1]:3/cms', { host: 'a,b,::1', port: '1,,3', dbname: 'cms' }],
    ['postgresql://%2Frun%2Fpg:5433/cms', { host: '/run/pg', port: '5433', dbname: 'cms' }],
    ['postgresql:///cms?host=/run/pg&user=me', { host: '/run/pg', dbname: 'cms', user: 'me' }],
    ['postgresql://db?sslmode=require&', { host: 'db', sslmode: 'require' }],
    ['postgresql://db/cms?dbname=other', { host: 'db', dbname: 'other' }],
    ['  postgresql://db/cms\n', { host: 'db', dbname: 'cms' }],
    ['', {}],
    ['host=db port=5433', { host: 'db', port: '5433' }],
    ["host = db   dbname= 'my db'", { host: 'db', dbname: 'my db' }],
    ["password='it\\'s \\\\' user=me", { password: "it's \\", user: 'me' }],
    ["user=a\\ b password=''", { user: 'a b', password: '' }],
    ['dbname=one dbname=two', { dbname: 'two' }],
  ])('%s', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });
});

describe('URLs of other libraries mean the same', () => {
  test.each([
    ['postgresql+psycopg2://me@db/cms', { user: 'me', host: 'db', dbname: 'cms' }],
    ['postgres+asyncpg://db/cms?ssl=require', { host: 'db', dbname: 'cms', sslmode: 'require' }],
    ['postgis://db/cms', { host: 'db', dbname: 'cms' }],
    ['psql://db/cms', { host: 'db', dbname: 'cms' }],
    ['PostgreSQL://db', { host: 'db' }],
    [
      'jdbc:postgresql://db/cms?user=me&ssl=true',
      { host: 'db', dbname: 'cms', user: 'me', sslmode: 'require' },
    ],
    ['postgresql://db/cms?schema=public&connection_limit=5', { host: 'db', dbname: 'cms' }],
    [
      'postgresql+psycopg://me@/cms?host=a:1&host=b:2',
      { user: 'me', dbname: 'cms', host: 'a,b', port: '1,2' },
    ],
    ['postgresql+psycopg2:///cms?host=/run/pg', { dbname: 'cms', host: '/run/pg' }],
  ])('%s', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });
});

describe('what cannot be read is refused with a reason, and without the password', () => {
  test.each([
    ['mysql://me:s3cret@db/cms', 'a URL of the form postgresql://… was expected, not mysql://…'],
    ['postgresql://me:s3cret@x@db/cms', 'it has more than one "@"'],
    ['postgresql://me:s3cret/x@db/cms', 'is not HOST, HOST:PORT or [IPV6]:PORT'],
    ['postgresql://me:s3cret%@db/cms', 'the password is not percent-encoded as it should be'],
    ['postgresql://me:s3cret%00@db/cms', 'the password is not percent-encoded as it should be'],
    ['postgresql://me:s3cret@db:port/cms', 'is not HOST, HOST:PORT or [IPV6]:PORT'],
    ['postgresql://me:s3cret@[::1/cms', 'is not HOST, HOST:PORT or [IPV6]:PORT'],
    ['postgresql://me:s3cret@db/cms?sslmod=require', 'the parameter "sslmod" is not known'],
    ['postgresql://me:s3cret@db/cms?sslmode', 'exactly one "=" was expected'],
    ['postgresql://me:s3cret@db/cms?ssl=perhaps', '"ssl" is true, false or one of'],
    ['password=s3cret host', 'a "=" is missing'],
    ["host=db password='s3cret", 'the quoted value of "password" has no end'],
    ['password=s3cret hots=db', 'the parameter "hots" is not known'],
  ])('%s', (text, problem) => {
    const error = errorOf(text);
    expect(error).toBeInstanceOf(TendError);
    expect(error).toMatchObject({ code: 'CONNECTION_SETTINGS_INVALID', exitCode: 78, isPermanent: true });
    expect(error.message).toContain('The database settings in DATABASE_URL are invalid: ');
    expect(error.message).toContain(problem);
    expect(`${error.message} ${String(error.hint)}`).not.toContain('s3cret');
  });

  function errorOf(text: string): TendError {
    try {
      parse(text);
    } catch (error) {
      if (error instanceof TendError) return error;
      throw error;
    }
    return expect.unreachable(`"${text}" was accepted`);
  }
});

test('every encoded user, password and database comes back, and the password becomes a secret', () => {
  const name = fc.string({ minLength: 1, unit: 'binary' }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(name, name, name, (user, password, dbname) => {
      const secrets = new SecretRegistry();
      const [u, p, d] = [user, password, dbname].map(encodeURIComponent);
      expect(parse(`postgresql://${u}:${p}@db/${d}`, secrets)).toEqual({
        host: 'db',
        user,
        password,
        dbname,
      });
      const quoted = `password='${password.replaceAll(/['\\]/g, '\\$&')}'`;
      expect(parse(quoted)).toEqual({ password });
      if (password.length > 4 && !'[]***'.includes(password)) {
        expect(secrets.redact(`[${password}]`)).not.toContain(password);
      }
    }),
  );
});

test('no text makes the parser fail in another way than with its own error', () => {
  const piece = fc.constantFrom(..."ab@:/?&=,[]%\\' ".split(''), '%40', 'host', 'postgresql://', '5432');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      try {
        parse(pieces.join(''));
      } catch (error) {
        expect(error).toBeInstanceOf(TendError);
      }
    }),
    { numRuns: 2000 },
  );
});
