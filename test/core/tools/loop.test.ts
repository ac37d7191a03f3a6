import { afterAll, expect, test } from 'vitest';
import { createResponseSchemas } from '../../../core/chat/response-schemas.ts';
import type { ChatMessage } from '../../../core/contracts/model-provider.ts';
import type { Tool, ToolDescription } from '../../../core/contracts/tool.ts';
import type { Executor } from '../../../core/runs/live-run.ts';
import { toolLoop } from '../../../core/tools/loop/tool-loop.ts';
import type { Turn, TurnRequest } from '../../../core/tools/loop/turn.ts';
import { SourceNumbers } from '../../../core/tools/source-numbers.ts';
import { createToolbox } from '../../../core/tools/toolbox.ts';
import type { Instance } from '../runs/instances.ts';
import { keyOf, silent, startOf } from '../runs/rig.ts';
import { useCluster } from '../runs/use-cluster.ts';

const cluster = useCluster();
const { start, statusOf, eventsOf } = cluster;
const schemas = createResponseSchemas();
afterAll(() => schemas.close());

const never = new AbortController().signal;
const parameters = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
const finished = (instance: Instance, runId: string) => instance.runs.whenFinished(keyOf(runId), never);

interface Script {
  readonly tools?: readonly Partial<Tool>[];
  readonly client?: readonly string[];
  /** What the model asks for, turn by turn: [tool, arguments] each; then it answers. */
  readonly asks: readonly (readonly (readonly [string, unknown])[])[];
  readonly maxTurns?: number;
  readonly before?: (tool: string) => Promise<void>;
}

/** A scripted model and tools that note what is done, by which instance. */
function scripted(done: string[], name: string, script: Script): Executor {
  const { tools = [{}], client = [], asks, maxTurns = 8, before = async () => {} } = script;
  const made = tools.map(
    (changes): Tool => ({
      ...{ name: 'double', description: '', parameters, source: 'BUILTIN', requiresApproval: false },
      ...{ changesWorld: false, timeoutMs: 5_000, resultSchema: null },
      ...changes,
      call: async ({ n }, { idempotencyKey }) => {
        done.push(`${name} calls ${changes.name ?? 'double'} ${n}`);
        await before(changes.name ?? 'double');
        return { value: { twice: Number(n) * 2, key: idempotencyKey.length } };
      },
    }),
  );
  const toolbox = createToolbox({
    ...{ providers: [{ tools: () => made }], schemas, logger: silent, settings: {}, maxResultChars: 1_000 },
  });
  const clients = client.map((tool): ToolDescription => {
    return { name: tool, description: '', parameters, source: 'CLIENT', requiresApproval: false };
  });
  const generate = async ({ toolChoice }: TurnRequest, turn: number): Promise<Turn> => {
    done.push(`${name} turn ${turn}`);
    const wanted = toolChoice === 'none' ? [] : (asks[turn - 1] ?? []);
    const toolCalls = wanted.map(([tool, args], index) => ({
      ...{ id: `t${turn}-${index}`, tool },
      arguments: typeof args === 'string' ? args : JSON.stringify(args),
    }));
    return {
      text: `said ${turn}`,
      toolCalls,
      finishReason: wanted.length > 0 ? 'TOOL_CALLS' : 'STOP',
      model: 'm',
      said: null,
    };
  };
  return async (io) => {
    const { parked, messages, finishReason } = await toolLoop(
      { toolbox },
      {
        ...{ key: '', step: null, tools: [...toolbox.list(), ...clients], toolChoice: 'auto', messages: [] },
        ...{ bounds: { maxTurns, maxParallel: 4 }, numbers: new SourceNumbers(), generate },
      },
      io,
    );
    if (parked !== null) return { parked };
    done.push(`${name} ends ${finishReason}: ${messages.map(textOf).join(' | ')}`);
    return {};
  };
}

const textOf = ({ role, text }: ChatMessage): string => (role === 'TOOL' ? (text.split('\n')[1] ?? '') : text);

test('calls run at the same time, and their results go back in the order of the calls', async () => {
  const done: string[] = [];
  const bothThere = Promise.withResolvers<void>();
  let there = 0;
  const before = async () => {
    there += 1;
    if (there === 2) bothThere.resolve();
    await bothThere.promise;
  };
  const asks = [
    [
      ['double', { n: 1 }],
      ['double', { n: 2 }],
    ] as const,
  ];
  const { runs } = await start({ executor: scripted(done, 'a', { asks, before }) });
  await startOf(runs, { runId: 'parallel' });
  expect(await runs.whenFinished(keyOf('parallel'), never)).toMatchObject({ status: 'SUCCEEDED', error: null });
  expect(done.at(-1)).toBe('a ends STOP: said 1 | {"twice":2,"key":32} | {"twice":4,"key":32} | said 2');
});

test('wrong arguments, and a tool that was not given, go back with the fault and call nothing; a few times only', async () => {
  const done: string[] = [];
  const fault = [
    ['double', { n: 'one' }],
    ['rm', { n: 1 }],
    ['double', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
    ['double', '{"n": "\\u0000\\ud800'],
  ] as const;
  const { runs } = await start({
    executor: scripted(done, 'a', { asks: [fault, fault, fault, fault, fault] }),
  });
  await startOf(runs, { runId: 'faults' });
  expect(await runs.whenFinished(keyOf('faults'), never)).toMatchObject({ status: 'SUCCEEDED', error: null });
  expect(done.slice(0, -1)).toEqual(['a turn 1', 'a turn 2', 'a turn 3', 'a turn 4']);
  expect(done.at(-1)).toContain('There is no tool');
  const results = (await eventsOf('faults')).filter((event) => event.type === 'ToolCallResult');
  expect(results).toHaveLength(12);
  expect(new Set(results.map(({ toolStatus }) => toolStatus))).toEqual(new Set(['FAILED']));
});

test('a model that never stops calling is stopped by the bound of turns', async () => {
  const done: string[] = [];
  const asks = Array.from({ length: 9 }, () => [['double', { n: 1 }]] as const);
  const { runs } = await start({ executor: scripted(done, 'a', { asks, maxTurns: 3 }) });
  await startOf(runs, { runId: 'bounded' });
  await runs.whenFinished(keyOf('bounded'), never);
  expect(done.filter((line) => line.includes('turn'))).toHaveLength(3);
  expect(done.filter((line) => line.includes('calls'))).toHaveLength(2);
});

test('an approval parks the run, and it goes on at another instance, with what was done before not done again', async () => {
  const done: string[] = [];
  const script: Script = {
    tools: [{}, { name: 'send', requiresApproval: true, changesWorld: true }],
    asks: [
      [['double', { n: 1 }]],
      [
        ['send', { n: 2 }],
        ['double', { n: 3 }],
      ],
    ],
  };
  const a = await start({ executor: scripted(done, 'x', script) });
  await startOf(a.runs, { runId: 'approval' });
  await expect.poll(() => statusOf('approval')).toBe('AWAITING_APPROVAL');
  await expect.poll(() => a.runs.isLive(keyOf('approval'))).toBe(false);
  expect(done).toEqual(['x turn 1', 'x calls double 1', 'x turn 2', 'x calls double 3']);
  await a.runs.drain(0);
  done.length = 0;
  const b = await start({ executor: scripted(done, 'x', script) });
  const answer = { type: 'approved', arguments: { n: 20 } } as const;
  expect(await cluster.parked.answer(keyOf('approval'), 't2-0', 1, answer)).toBe('taken');
  b.runs.hurry();
  expect(await finished(b, 'approval')).toMatchObject({ status: 'SUCCEEDED', error: null, attempt: 2 });
  expect(done.slice(0, -1)).toEqual(['x calls send 20', 'x turn 3']);
  expect(done.at(-1)).toContain('{"twice":40,"key":32} | {"twice":6,"key":32}');
  const said = (await eventsOf('approval')).map(
    (event) => `${event.type} ${'toolCallId' in event ? event.toolCallId : ''}`,
  );
  expect(new Set(said).size).toBe(said.length);
});

test('a client tool waits for the app, and a rejected call is told to the model', async () => {
  const done: string[] = [];
  const script: Script = {
    tools: [{ name: 'send', requiresApproval: true }],
    client: ['locate'],
    asks: [
      [
        ['locate', { n: 1 }],
        ['send', { n: 2 }],
      ],
    ],
  };
  const a = await start({ executor: scripted(done, 'a', script) });
  await startOf(a.runs, { runId: 'client' });
  await expect.poll(() => statusOf('client')).toBe('AWAITING_APPROVAL');
  await cluster.parked.answer(keyOf('client'), 't1-1', 1, { type: 'rejected', reason: 'not now' });
  await expect.poll(() => statusOf('client')).toBe('AWAITING_TOOL_RESULT');
  await cluster.parked.answer(keyOf('client'), 't1-0', 1, { type: 'result', value: { lat: 1 } });
  a.runs.hurry();
  await finished(a, 'client');
  expect(done.at(-1)).toBe(
    'a ends STOP: said 1 | {"lat":1} | {"error":"A person rejected this call: not now"} | said 2',
  );
});

test('a call that changes the world is not made again when its outcome is unknown: a person is asked', async () => {
  for (const approve of [true, false]) {
    const runId = `unknown ${approve}`;
    const done: string[] = [];
    const stuck = Promise.withResolvers<void>();
    const inCall = Promise.withResolvers<void>();
    const before = async () => {
      inCall.resolve();
      await stuck.promise;
    };
    const script: Script = { tools: [{ name: 'send', changesWorld: true }], asks: [[['send', { n: 1 }]]] };
    const a = await start({ executor: scripted(done, 'a', { ...script, before }) });
    await startOf(a.runs, { runId });
    await inCall.promise;
    const b = await start({ executor: scripted(done, 'b', script) });
    a.sleep();
    await expect.poll(() => statusOf(runId), { timeout: 10_000 }).toBe('AWAITING_APPROVAL');
    expect(done).toEqual(['a turn 1', 'a calls send 1']);
    const answer = approve
      ? ({ type: 'approved', arguments: null } as const)
      : ({ type: 'rejected', reason: null } as const);
    expect(await cluster.parked.answer(keyOf(runId), 't1-0', 2, answer)).toBe('taken');
    b.runs.hurry();
    await finished(b, runId);
    expect(done.includes('b calls send 1')).toBe(approve);
    if (!approve) expect(done.at(-1)).toContain('its outcome is unknown. It was not called again.');
    stuck.resolve();
    a.wake();
    await a.runs.drain(0);
    await b.runs.drain(0);
  }
});

test('a parked run is cancelled, and one that nobody answers has failed', async () => {
  const script: Script = { tools: [{ name: 'send', requiresApproval: true }], asks: [[['send', { n: 1 }]]] };
  const a = await start({ executor: scripted([], 'a', script), parkedTimeoutMs: 500 });
  await startOf(a.runs, { runId: 'cancelled' });
  await startOf(a.runs, { runId: 'late' });
  await expect.poll(() => statusOf('cancelled')).toBe('AWAITING_APPROVAL');
  expect(await a.runs.cancel(keyOf('cancelled'), never)).toMatchObject({ status: 'CANCELLED' });
  expect(await finished(a, 'late')).toMatchObject({
    status: 'FAILED',
    error: { code: 'UPSTREAM_TIMEOUT', message: expect.stringContaining('runs.parkedTimeoutMs') },
  });
  expect((await eventsOf('late')).at(-1)?.type).toBe('RunFailed');
});
