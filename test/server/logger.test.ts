import { DrizzleQueryError } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FencedError } from '../../core/contracts/event-log.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { LogFields } from '../../core/contracts/logger.ts';
import { createLogger, type LoggerOptions } from '../../server/telemetry/logger.ts';

function recorded(options: Partial<LoggerOptions> = {}) {
  const written: string[] = [];
  const logger = createLogger({ level: 'debug', stream: { write: (line) => void written.push(line) }, ...options });
  return { logger, written, line: () => JSON.parse(written.at(-1) ?? 'null') };
}

/** The line that these fields make, parsed, and as it was written. */
function logged(fields: LogFields, options: Partial<LoggerOptions> = {}) {
  const { logger, written, line } = recorded(options);
  logger.info(fields, 'something happened');
  return { line: line(), text: written.join('') };
}

describe('the logger', () => {
  test('writes one JSON object a line with level, time, fields and message', () => {
    const { logger, written } = recorded();
    logger.debug({}, 'one');
    logger.info({ runId: 'r', tookMs: 12.5, ok: true, none: null }, 'two\nlines');
    logger.warn({ at: new Date(0), big: 2n ** 70n }, 'three');
    logger.error({ list: [1, 'a', { b: 2 }] }, 'four');
    expect(written.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).toBe(true);
    const lines = written.map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { level: 'debug', msg: 'one' },
      { level: 'info', msg: 'two\nlines', runId: 'r', tookMs: 12.5, ok: true, none: null },
      { level: 'warn', msg: 'three', at: '1970-01-01T00:00:00.000Z', big: '1180591620717411303424' },
      { level: 'error', msg: 'four', list: [1, 'a', { b: 2 }] },
    ]);
    for (const { time } of lines) expect(Math.abs(Date.now() - Date.parse(time))).toBeLessThan(60_000);
  });

  test('writes nothing below its level', () => {
    const { logger, written } = recorded({ level: 'warn' });
    logger.debug({}, 'no');
    logger.child({ a: 1 }).info({}, 'no');
    expect(written).toEqual([]);
    logger.error({}, 'yes');
    expect(written).toHaveLength(1);
    const silent = recorded({ level: 'silent' });
    silent.logger.error({}, 'no');
    expect(silent.written).toEqual([]);
  });

  test('gives the lines of a child the fields of its ancestors', () => {
    const { logger, line } = recorded();
    logger.child({ requestId: 'q' }).child({ tenant: 't' }).info({ runId: 'r' }, 'm');
    expect(line()).toMatchObject({ requestId: 'q', tenant: 't', runId: 'r', msg: 'm' });
    logger.info({}, 'm');
    expect(line()).not.toHaveProperty('requestId');
  });

  test('does not let a field take the place of level, time or msg', () => {
    const { line } = logged({ level: 'fatal', time: 'never', msg: 'forged', pid: 1 });
    expect(line).toMatchObject({
      level: 'info',
      msg: 'something happened',
      _level: 'fatal',
      _time: 'never',
      _msg: 'forged',
    });
  });

  test('never throws, and makes a bounded line of whatever it gets', () => {
    const loop: Record<string, unknown> = { name: 'loop' };
    loop['self'] = loop;
    const wide = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, n) => [`k${n}`, Array(100).fill('x'.repeat(5000))]),
    );
    const throwing = Object.defineProperty({}, 'get', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    const { line, text } = logged({
      loop,
      throwing,
      toJSON: {
        toJSON: () => {
          throw new Error('no');
        },
      },
      bytes: Buffer.from('some bytes'),
      vector: new Float32Array(384),
      call: () => 1,
      symbol: Symbol('s'),
      nothing: undefined,
      map: new Map([['a', 1]]),
      set: new Set([1]),
      url: new URL('https://example.org/x'),
      wide,
    });
    expect(text.length).toBeLessThan(2_000_000);
    expect(line).toMatchObject({
      loop: { name: 'loop' },
      bytes: '[10 bytes]',
      vector: '[1536 bytes]',
      call: '[function]',
    });

    const { logger, written } = recorded();
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: true })),
        (fields) => {
          logger.info(fields, 'm');
          expect(JSON.parse(written.pop() ?? '')).toMatchObject({ level: 'info', msg: 'm' });
        },
      ),
    );
  });
});

describe('the logger keeps secrets', () => {
  // Quotes, a backslash, a slash and a percent sign: each looks different in JSON and in a URL.
  for (const secret of ['plain-Secret-123456', 'q"uo\\te/d%41 &key']) {
    test(`a configured one (${secret.length} characters) appears nowhere, wherever it was put`, () => {
      const { logger, written } = recorded({ secrets: [secret, 'another'] });
      const error = new Error(`401 for ${secret}`, {
        cause: new TypeError(`inner ${secret}`, { cause: `text ${secret}` }),
      });
      const child = logger.child({ bound: `key ${secret}`, headers: { 'X-Custom': secret } });
      child.info({ direct: secret }, `in the message: ${secret}`);
      child.info({ deep: { er: { list: ['a', `b${secret}c`] } } }, 'm');
      child.info({ [secret]: 'as a name' }, 'm');
      child.error({ error }, 'm');
      child.error({ error: new AggregateError([error, secret], secret) }, 'm');
      child.info(
        { map: new Map([[secret, secret]]), set: new Set([secret]), headers: new Headers({ 'x-other': 'another' }) },
        'm',
      );
      child.info(
        { json: JSON.stringify({ value: secret }), twice: JSON.stringify(JSON.stringify([`${secret}`])).length },
        'm',
      );
      child.info({ url: `https://host/?k=${encodeURIComponent(secret)}`, long: 'x'.repeat(1995) + secret }, 'm');
      child.info(
        { made: { toJSON: () => ({ value: secret }) }, error: Object.assign(new Error('m'), { code: secret }) },
        'm',
      );
      child.info(
        { error: Object.assign(new Error('m'), { name: secret, stack: `at ${secret}\n    at ${secret} (a.ts:1:1)` }) },
        'm',
      );
      // Names and values as a reader of the log has them, not as they are escaped in it.
      const text = written.flatMap((line) => textsIn(JSON.parse(line))).join('\n');
      expect(written).toHaveLength(10);
      expect(text).toContain('[redacted]');
      for (const spelling of [
        secret,
        JSON.stringify(secret).slice(1, -1),
        encodeURIComponent(secret),
        'another',
        secret.slice(0, 5),
      ]) {
        expect(text).not.toContain(spelling);
      }
    });
  }

  test('one that nobody configured is known by its name, at any depth and in any spelling', () => {
    const names = [
      ...[
        'authorization',
        'Authorization',
        'proxy-authorization',
        'apiKey',
        'api_key',
        'API-KEY',
        'x-api-key',
        'OPENAI_API_KEY',
      ],
      ...[
        'SLUICE_API_KEY',
        'connectionParams',
        'password',
        'PGPASSWORD',
        'cookie',
        'set-cookie',
        'clientSecret',
        'refresh_token',
      ],
      ...['accessToken', 'token', 'privateKey', 'credentials', 'apiKeys'],
    ];
    for (const name of names) {
      for (const value of ['s3cr3t-value', { payload: 's3cr3t-value' }, ['s3cr3t-value'], 1234567]) {
        const { line, text } = logged({
          [name]: value,
          a: { b: [{ [name]: value }] },
          raw: ['accept', '*/*', name, value],
        });
        expect(text, name).not.toMatch(/s3cr3t|1234567/);
        expect(line).toMatchObject({ [name]: '[redacted]', a: { b: [{ [name]: '[redacted]' }] } });
      }
    }
    expect(
      logged({ headers: new Headers({ Authorization: 'Bearer s3cr3t-value', Cookie: 'id=s3cr3t-value' }) }).text,
    ).not.toContain('s3cr3t');
  });

  test('one in the middle of a text is known by what stands before it, or by its shape', () => {
    const secret = 'aB3dE6gH9jK2mN5p';
    const texts = [
      `postgres://app:${secret}@db.example.org:5432/app?sslmode=require`,
      `postgres://app:p@${secret}@db/app`,
      `redis://:${secret}@localhost:6379`,
      `connect failed: postgresql://u:${secret}@h/d and then some`,
      `Authorization: Bearer ${secret}`,
      `authorization: ${secret}`,
      `got header bearer ${secret}`,
      `Basic ${btoa(`user:${secret}`)}`,
      `OPENAI_API_KEY=${secret} npm start`,
      `https://host/v1?api_key=${secret}&model=x`,
      `{"apiKey":"${secret}","model":"x"}`,
      `{ apiKey: '${secret}' }`,
      JSON.stringify(JSON.stringify({ password: secret })),
      `Incorrect API key provided: sk-proj-${secret}.`,
      `token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${secret}`,
    ];
    for (const text of texts) {
      const { logger, written } = recorded();
      logger.info({ text: 1, detail: text, error: new Error(text) }, text);
      expect(written.join(''), text).not.toContain(secret);
      expect(written.join(''), text).not.toContain(btoa(`user:${secret}`));
      expect(written.join(''), text).toContain('[redacted]');
    }
    expect(logged({ url: `postgres://app:${secret}@db:5432/app` }).line.url).toBe(
      'postgres://app:[redacted]@db:5432/app',
    );
  });

  test('the password of a configured connection URL is one, encoded or not', () => {
    const secrets = ['postgres://app:p%40ss-w0rd@db.example.org/app'];
    const { text } = logged({ detail: 'password "p@ss-w0rd" and p%40ss-w0rd refused' }, { secrets });
    expect(text).not.toMatch(/p@ss-w0rd|p%40ss-w0rd/);
    expect(text).toContain('refused');
  });

  test('and leaves what only looks similar', () => {
    const fields = {
      inputTokens: 12,
      outputTokens: 5,
      maxTokens: 100,
      hasApiKey: true,
      apiKey: null,
      keyId: 'k1',
      phase: 'FIRST_TOKEN',
      address: 'http://127.0.0.1:4000/graphql',
      fault: 'auth.apiKey: expected a text, got a number',
      mail: 'https://host/path?who=a@b.example',
      basic: 'Basic information about bearer birds',
      documents: 12,
    };
    expect(logged(fields).line).toMatchObject(fields);
    // An empty secret is no secret.
    expect(logged({ note: 'fine' }, { secrets: [''] }).line).toMatchObject({ note: 'fine' });
  });
});

describe('the logger keeps to itself what people wrote', () => {
  const words = 'my private question';

  test('no prompt, message, passage, query or body is logged, at any depth', () => {
    const fields = {
      prompt: words,
      system: words,
      messages: [{ role: 'USER', text: words }],
      query: words,
      variables: { input: { anything: words } },
      request: { body: JSON.stringify({ messages: [words] }), path: '/graphql' },
      event: { type: 'TextMessageDelta', messageId: 'm', delta: words },
      message: words,
      sources: [words],
    };
    const { line, text } = logged(fields);
    expect(text).not.toContain('private');
    expect(line).toMatchObject({
      prompt: '[19 characters omitted]',
      messages: '[1 items omitted]',
      variables: '[omitted]',
      request: { path: '/graphql' },
      event: { type: 'TextMessageDelta', messageId: 'm' },
    });
  });

  test('a failed statement shows its SQL and its cause, not its parameters', () => {
    const cause = Object.assign(new Error('duplicate key value'), { code: '23505', detail: words, where: words });
    const { line, text } = logged({
      error: new DrizzleQueryError('insert into t values ($1)', [words, `${words}\n    at x`], cause),
    });
    expect(text).not.toContain('private');
    expect(line.error.message).toBe('Failed query: insert into t values ($1)\nparams: [omitted]');
    expect(line.error.stack).toContain('logger.test.ts');
    expect(line.error.cause).toMatchObject({ code: '23505', message: 'duplicate key value' });
  });
});

describe('the logger serialises errors', () => {
  test('with name, code, message, stack, and the causes behind them', () => {
    const innermost = new FencedError({ tenant: 't', runId: 'r' }, 3);
    const middle = Object.assign(new Error('socket hang up', { cause: innermost }), { code: 'ECONNRESET' });
    const details = { attempts: 3, retryAfterMs: 100 };
    const error = new GatewayError('UPSTREAM_UNAVAILABLE', 'every model failed', {
      retryable: true,
      details,
      cause: middle,
    });
    const { line } = logged({ error, nested: { reason: middle }, list: [innermost] });
    expect(line.error).toMatchObject({
      name: 'GatewayError',
      code: 'UPSTREAM_UNAVAILABLE',
      message: 'every model failed',
      retryable: true,
      details,
      cause: {
        code: 'ECONNRESET',
        message: 'socket hang up',
        cause: { name: 'FencedError', message: 'run r: attempt 3 no longer owns the log' },
      },
    });
    expect(line.error.stack).toMatch(/^GatewayError: every model failed\n\s+at .*logger\.test\.ts/);
    expect(line.error.cause.cause.stack).toContain('logger.test.ts');
    expect(line.nested.reason.message).toBe('socket hang up');
    expect(line.list[0].name).toBe('FencedError');
  });

  test('without the request, headers and body that clients hang on them', () => {
    const request = { headers: { cookie: 'abc' }, body: 'my private question' };
    const error = Object.assign(new Error('400'), {
      status: 400,
      request,
      response: { data: 'my private question' },
      config: request,
    });
    const { line } = logged({ error });
    expect(Object.keys(line.error).sort()).toEqual(['message', 'name', 'stack']);
  });

  test('with each error of an AggregateError, and an end for one that causes itself', () => {
    const { line } = logged({ error: new AggregateError([new Error('a'), new Error('b')], 'both') });
    expect(line.error.errors).toMatchObject([{ message: 'a' }, { message: 'b' }]);
    const circular = new Error('circular');
    circular.cause = circular;
    expect(logged({ error: circular }).text.length).toBeLessThan(50_000);
    const record = { code: 'INTERNAL', message: 'as a run keeps it', retryable: false };
    expect(logged({ error: record }).line.error).toEqual(record);
  });
});

function textsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...textsIn(inner)]);
}
