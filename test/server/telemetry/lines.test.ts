import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { RunEnd } from '../../../core/contracts/run-observer.ts';
import { createLogger } from '../../../server/telemetry/logger.ts';
import { runLog } from '../../../server/telemetry/logs/run-log.ts';
import { askGraphql, startEdge } from '../edge.ts';

const health = () => ({ ok: true, version: '0', components: [], eventLoopDelayP99Ms: 0 });

it('an operation is one line, with what it was and how it ended', async () => {
  await using edge = await startEdge({ health });
  await askGraphql(edge.url, 'query Named { health { ok } }', { 'x-request-id': 'mine' });
  await askGraphql(edge.url, '{ nothing }');
  await expect.poll(() => edge.operations.length).toBe(2);
  expect(edge.operations).toMatchObject([
    {
      level: 'info',
      kind: 'query',
      name: 'Named',
      transport: 'http',
      code: 'OK',
      tenant: 'default',
      requestId: 'mine',
    },
    { level: 'info', kind: 'unknown', transport: 'http', code: 'BAD_INPUT', ms: expect.any(Number) },
  ]);
});

it('no line is written where none is wanted', async () => {
  const lines: unknown[] = [];
  const logger = createLogger({ level: 'info', stream: { write: (line) => void lines.push(line) } });
  const usage = { inputTokens: 3, cachedInputTokens: 0, outputTokens: 4, calls: 1, costUsd: null, estimated: true };
  const end: RunEnd = {
    status: 'FAILED',
    code: 'UPSTREAM_TIMEOUT',
    model: 'm',
    usage,
    durationMs: 12.4,
    firstTokenMs: null,
  };
  const run = { tenant: 'default', runId: randomUUID(), kind: 'CHAT', stored: true, attempt: 2 } as const;
  runLog(logger, 'debug').ended(run, end);
  expect(lines).toEqual([]);
  runLog(logger, 'info').ended(run, end);
  const [line = ''] = lines;
  expect(JSON.parse(String(line))).toMatchObject({
    ...{ msg: 'run', runId: run.runId, tenant: 'default', kind: 'CHAT', status: 'FAILED', code: 'UPSTREAM_TIMEOUT' },
    ...{ model: 'm', ms: 12, attempt: 2, calls: 1, inputTokens: 3, outputTokens: 4, costUsd: null, estimated: true },
  });
});
