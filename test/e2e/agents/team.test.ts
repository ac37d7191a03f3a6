import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { processorWait } from '../../helpers/processor-wait.ts';
import type { Behaviour } from '../../helpers/vendor/behaviour.ts';
import { textOf } from '../../helpers/vendor/reply.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { type AgentRunSeen, ofRole, runAgent, timesOf } from './agent-run.ts';
import { bodyOf, planOf, playing, questionOf, roleOf, type Script } from './team-vendor.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor()));
  await ingest(gateway, [
    { externalId: 'lamp', title: 'The lamp', text: 'The lamp turns twice a minute. It is lit at sunset.' },
    { externalId: 'keeper', title: 'The keeper', text: 'The keeper lives in the tower until March.' },
  ]);
});
afterAll(() => opened.disposeAsync());

/** One run whose vendor plays this script, and what it was asked. */
async function team(script: Script, input: object = {}, more: Behaviour = {}) {
  const first = vendor.calls('/chat/completions').length;
  const stop = vendor.when((call) => call.path === '/chat/completions', { ...playing(script), ...more });
  try {
    const seen = await runAgent(gateway, { goal: `What of the lamp and the keeper, ${randomUUID()}?`, ...input });
    const calls = vendor.calls('/chat/completions').slice(first).map(bodyOf);
    return { ...seen, calls, callsOf: (role: string) => calls.filter((call) => roleOf(call) === role) };
  } finally {
    stop();
  }
}

const stepOf = (run: AgentRunSeen, key: string) => {
  const step = run.steps.find((each) => each.key === key);
  if (step === undefined) throw new Error(`there is no step ${key}`);
  return step;
};

describe('a team with a model', () => {
  it('works through its plan, and numbers the citations of its answer over the sources of all findings', async () => {
    const { run, text, callsOf } = await team({
      plan: planOf(['lamp', 'keeper', ['both', 'lamp', 'keeper']]),
      find: (question) => (question.includes('keeper') ? 'The keeper leaves in March [1].' : 'Twice a minute [2].'),
      answer: 'It turns twice a minute [1], and the keeper leaves in March [2]. [9]',
    });
    expect(run).toMatchObject({ status: 'SUCCEEDED', finishReason: 'STOP', output: { model: 'gpt-4.1-mini' } });
    expect(run.steps.map(({ key, dependsOn }) => [key, ...dependsOn.map((step) => step.key)])).toEqual([
      ['lamp'],
      ['check-lamp', 'lamp'],
      ['keeper'],
      ['check-keeper', 'keeper'],
      ['both', 'check-lamp', 'check-keeper'],
      ['check-both', 'both'],
      ['answer', 'check-lamp', 'check-keeper', 'check-both'],
    ]);
    expect(run.steps.every(({ status, attempt }) => status === 'SUCCEEDED' && attempt === 1)).toBe(true);
    expect(text).toBe('It turns twice a minute [1], and the keeper leaves in March [2].');
    expect(run.output?.citations.map(({ number }) => number)).toEqual([1, 2]);
    for (const { quote, passage } of run.output?.citations ?? []) expect(passage?.text).toContain(quote);
    // What a step builds on is told to it, without marks of sources that it cannot see.
    const [building] = callsOf('RESEARCHER').filter((call) => questionOf(call).includes('both'));
    expect(building?.messages.map(textOf).join()).toContain('About lamp: Twice a minute.');
    // Each look-up is a search, a report and a check; before them is the plan.
    const ofSteps = run.steps.reduce((sum, { usage }) => sum + usage.calls, 0);
    expect(ofSteps).toBe(3 * 3 + 1);
    expect(run.usage.calls).toBe(1 + ofSteps);
  });

  it('sends a weak finding back once, with the objection', async () => {
    const { run, callsOf, events } = await team({
      judge: (_question, request) =>
        request.messages.map(textOf).join().includes('Better')
          ? { verdict: 'accept', objection: '', further: null }
          : { verdict: 'weak', objection: 'It does not say how often.', further: null },
      find: (_question, request) =>
        request.messages.map(textOf).join().includes('It does not say how often.')
          ? 'Better: twice [1].'
          : 'It turns [1].',
    });
    expect(stepOf(run, 'only')).toMatchObject({ attempt: 2, status: 'SUCCEEDED', output: 'Better: twice [1].' });
    expect(stepOf(run, 'check-only')).toMatchObject({ attempt: 2, output: 'Accepted.' });
    expect(callsOf('RESEARCHER')).toHaveLength(2);
    expect(events.filter(({ __typename, step }) => __typename === 'StepStarted' && step === 'only')).toHaveLength(2);
  });

  it('goes on with a finding that is weak twice, and tells the executor so', async () => {
    const { run, callsOf } = await team({
      judge: () => ({ verdict: 'weak', objection: 'It is a guess.', further: null }),
    });
    expect(run.status).toBe('SUCCEEDED');
    expect(callsOf('VALIDATOR')).toHaveLength(2);
    expect(callsOf('EXECUTOR')[0]?.messages.map(textOf).join()).toMatch(
      /Not accepted by the check:\n<data-\w+ from="check">\nIt is a guess\.\n/,
    );
  });

  it('grows by what a researcher or a validator asks for, within maxSteps', async () => {
    const script: Script = {
      plan: planOf(['lamp', 'keeper']),
      find: (question) => (question === 'What is lamp?' ? 'Twice [1].\nFURTHER: Who lights it?' : 'So it is [1].'),
      judge: (question) => ({
        ...{ verdict: 'accept', objection: '' },
        further: question === 'What is keeper?' ? 'Where does he live?' : null,
      }),
    };
    const { run } = await team(script);
    expect(stepOf(run, 'lamp').output).toBe('Twice [1].');
    expect(stepOf(run, 'lamp-further')).toMatchObject({ title: 'Who lights it?', dependsOn: [{ key: 'check-lamp' }] });
    expect(stepOf(run, 'keeper-further')).toMatchObject({ title: 'Where does he live?', status: 'SUCCEEDED' });
    const { run: bounded } = await team(script, { limits: { maxSteps: 7 } });
    expect(bounded.steps).toHaveLength(7);
    expect(bounded.finishReason).toBe('STOP');
  });

  it('tells a planner once what is wrong with its plan, and goes on by rules after that', async () => {
    const mended = await team({
      plan: ({ messages }) =>
        messages.length > 2
          ? planOf(['lamp'])
          : planOf([
              ['a', 'b'],
              ['b', 'a'],
            ]),
    });
    expect(mended.callsOf('PLANNER')[1]?.messages.map(textOf).at(-1)).toContain(
      'these steps wait for each other: a, b',
    );
    expect(mended.run.steps.map(({ key }) => key)).toEqual(['lamp', 'check-lamp', 'answer']);

    const given = await team(
      { plan: planOf(Array.from({ length: 500 }, (_, index) => `s${index}`)) },
      { goal: `How often does the lamp turn? Where does the keeper live? ${randomUUID()}` },
    );
    expect(given.callsOf('PLANNER')).toHaveLength(2);
    expect(given.run.steps[0]).toMatchObject({ key: 'look-up-1', title: 'How often does the lamp turn?' });
    expect(given.events.find(({ __typename }) => __typename === 'StepFinished')).toMatchObject({
      step: null,
      stepStatus: 'FAILED',
    });
    expect(given.run.status).toBe('SUCCEEDED');
  });

  it('lets the rest go on when a step fails, skips what has nothing to build on, and says why', async () => {
    const plan = planOf(['lamp', 'keeper', ['more', 'keeper'], ['both', 'lamp', 'keeper']]);
    const refusing = vendor.when((call) => questionOf(bodyOf(call)) === 'What is keeper?', {
      status: 400,
      error: { code: 'content_filter', message: 'It is not fit to be said.' },
    });
    const rest = vendor.when(
      (call) => call.path === '/chat/completions' && questionOf(bodyOf(call)) !== 'What is keeper?',
      playing({ plan }),
    );
    const { run } = await runAgent(gateway, { goal: `What of both, ${randomUUID()}?` });
    refusing();
    rest();
    expect(run.status).toBe('SUCCEEDED');
    expect(Object.fromEntries(run.steps.map(({ key, status }) => [key, status]))).toEqual({
      ...{ lamp: 'SUCCEEDED', 'check-lamp': 'SUCCEEDED', keeper: 'FAILED', 'check-keeper': 'SKIPPED' },
      ...{
        more: 'SKIPPED',
        'check-more': 'SKIPPED',
        both: 'SUCCEEDED',
        'check-both': 'SUCCEEDED',
        answer: 'SUCCEEDED',
      },
    });
    expect(stepOf(run, 'keeper').output).toMatch(/^UPSTREAM_REJECTED: /);
  });

  it('fails with the reason when nobody could be asked', async () => {
    const { run } = await team({}, {}, { status: 400, error: { code: 'content_filter', message: 'No.' } });
    expect(run).toMatchObject({ status: 'FAILED', error: { code: 'UPSTREAM_REJECTED' }, output: null });
  });

  it('accepts what a validator could not be asked about', async () => {
    const { run } = await team({ judge: () => ({ nonsense: true }) });
    expect(run.status).toBe('SUCCEEDED');
    expect(stepOf(run, 'check-only').status).toBe('FAILED');
    expect(run.output?.text).toBe('It is so [1].');
  });

  it('brings an object beside its text', async () => {
    const responseSchema = {
      ...{ type: 'object', required: ['turns'], additionalProperties: false },
      properties: { turns: { type: 'integer' } },
    };
    const { run } = await team({ other: () => '{"turns": 2}' }, { responseSchema });
    expect(run).toMatchObject({ status: 'SUCCEEDED', object: { turns: 2 }, output: { text: 'It is so [1].' } });
    const { run: failed } = await team({ other: () => '{"turns": "often"}' }, { responseSchema });
    expect(failed).toMatchObject({ status: 'FAILED', output: { text: 'It is so [1].' } });
    expect(failed.error?.message).toMatch(/responseSchema, twice/);
  });

  it('is a turn of a conversation', async () => {
    const stop = vendor.when((call) => call.path === '/chat/completions', { reply: 'The lamp is old.' });
    const { startChat } = await gateway.data<{ startChat: { run: { conversation: { id: string } } } }, object>(
      'mutation { startChat(input: { message: "Tell me of the lamp." }) { run { reply { text } conversation { id } } } }',
    );
    stop();
    const conversationId = startChat.run.conversation.id;
    const { callsOf, run } = await team({}, { conversationId, goal: 'And how often does it turn?' });
    expect(callsOf('PLANNER')[0]?.messages.map(textOf).join()).toContain('ASSISTANT: The lamp is old.');
    const { node } = await gateway.data<{ node: unknown }, object>(
      'query ($id: ID!) { node(id: $id) { ... on Conversation { messages { edges { node { role text citations { number } } } } } } }',
      { id: conversationId },
    );
    expect(node).toMatchObject({
      messages: {
        edges: [
          { node: { text: 'Tell me of the lamp.' } },
          { node: { text: 'The lamp is old.' } },
          { node: { role: 'USER', text: 'And how often does it turn?' } },
          { node: { role: 'ASSISTANT', text: run.output?.text, citations: [{ number: 1 }] } },
        ],
      },
    });
  });

  it('is started once under one runId, and refused under it with another goal', async () => {
    const runId = randomUUID();
    const first = await team({}, { runId, goal: 'How often does the lamp turn?' });
    const again = await team({}, { runId, goal: 'How often does the lamp turn?' });
    expect(again.calls).toHaveLength(0);
    expect(again.events).toEqual(first.events);
    await expect(team({}, { runId, goal: 'Another?' })).rejects.toThrow(/CONFLICT/);
  });
});

describe('a limit', () => {
  const plan = planOf(['a', ['b', 'a'], ['c', 'b'], ['d', 'c']]);

  it('of tokens stops a run with what it has, without another call', async () => {
    const { run, text, callsOf } = await team({ plan }, { limits: { maxTokens: 900 } });
    expect(run).toMatchObject({ status: 'SUCCEEDED', finishReason: 'LENGTH' });
    expect(callsOf('EXECUTOR')).toHaveLength(0);
    expect(stepOf(run, 'a').status).toBe('SUCCEEDED');
    expect(stepOf(run, 'd').status).toBe('SKIPPED');
    expect(text).toContain('The run stopped at a limit: maxTokens of 900');
    expect(text).toContain('About What is a? the sources say enough [1].');
    expect(run.output?.citations).toHaveLength(1);
  });

  it('of dollars too', async () => {
    const { run, callsOf } = await team({ plan }, { limits: { maxCostUsd: 0.000001 } });
    expect(run).toMatchObject({ status: 'SUCCEEDED', finishReason: 'LENGTH' });
    expect(callsOf('RESEARCHER')).toHaveLength(0);
    expect(run.output?.text).toContain('maxCostUsd of 0.000001');
  });

  it('of time stops calls under way', async () => {
    const slow = vendor.when((call) => questionOf(bodyOf(call)) === 'What is b?', { hold: new Promise(() => {}) });
    const rest = vendor.when(
      (call) => call.path === '/chat/completions' && questionOf(bodyOf(call)) !== 'What is b?',
      playing({ plan }),
    );
    const { run, text } = await runAgent(gateway, { goal: `Slow, ${randomUUID()}?`, limits: { timeoutMs: 2_500 } });
    slow();
    rest();
    expect(run).toMatchObject({ status: 'SUCCEEDED', finishReason: 'LENGTH' });
    expect(stepOf(run, 'b').status).toBe('CANCELLED');
    expect(stepOf(run, 'c').status).toBe('SKIPPED');
    expect(text).toContain('timeoutMs of 2500');
  });

  it.each([
    [{ maxSteps: 2 }, /limits\.maxSteps must be 3–100, got 2/],
    [{ maxSteps: 500 }, /limits\.maxSteps must be 3–100, got 500/],
    [{ maxParallel: 0 }, /limits\.maxParallel must be 1–64, got 0/],
    [{ maxCostUsd: 0 }, /limits\.maxCostUsd must be above 0 .*got 0/],
    [{ timeoutMs: -1 }, /limits\.timeoutMs must be 1–86400000, got -1/],
  ])('that makes no sense is refused: %j', async (limits, message) => {
    await expect(runAgent(gateway, { goal: 'How?', limits })).rejects.toThrow(message);
  });

  it.each([
    [
      { agent: 'research-tem', goal: 'How?' },
      /There is no agent \\"research-tem\\". The nearest is \\"research-team\\"/,
    ],
    [{ goal: '  ' }, /goal must hold at least one word/],
    [{ goal: 'How?', retrieval: { in: 'nowhere' } }, /no collection \\"nowhere\\"/],
    [{ goal: 'How?', responseSchema: { type: 'wrong' } }, /responseSchema must be a JSON Schema/],
  ])('and so is an input: %j', async (input, message) => {
    await expect(runAgent(gateway, input)).rejects.toThrow(message);
  });
});

describe('a run that is cancelled', () => {
  it('ends its steps, stops its calls, and keeps what there was', async () => {
    const runId = randomUUID();
    const held = vendor.when((call) => questionOf(bodyOf(call)) === 'What is held?', { hold: new Promise(() => {}) });
    const rest = vendor.when(
      (call) => call.path === '/chat/completions' && questionOf(bodyOf(call)) !== 'What is held?',
      playing({ plan: planOf(['a', ['held', 'a']]) }),
    );
    const running = runAgent(gateway, { runId, goal: `Cancelled, ${randomUUID()}?` });
    await expect
      .poll(() => vendor.calls('/chat/completions').some((call) => questionOf(bodyOf(call)) === 'What is held?'))
      .toBe(true);
    await gateway.data('mutation ($runId: UUID!) { cancelRun(runId: $runId) { run { status } } }', { runId });
    const { run, events } = await running;
    held();
    rest();
    expect(run).toMatchObject({ status: 'CANCELLED', output: null });
    expect(run.steps.map(({ key, status }) => [key, status])).toEqual([
      ['a', 'SUCCEEDED'],
      ['check-a', 'SUCCEEDED'],
      ['held', 'CANCELLED'],
      ['check-held', 'SKIPPED'],
      ['answer', 'SKIPPED'],
    ]);
    expect(events.at(-1)?.__typename).toBe('RunCancelled');
    expect(events.filter(({ __typename }) => __typename === 'StepStarted')).toHaveLength(
      events.filter(({ __typename }) => __typename === 'StepFinished').length,
    );
  });
});

describe('eight steps at a vendor of fixed latency', () => {
  // Two ways of three through the graph, and a short one beside them.
  const plan = planOf(['a', 'b', ['c', 'a'], ['d', 'a', 'b'], ['e', 'c'], ['f', 'd'], 'g', ['h', 'g']]);
  const ways = [
    ['a', 'c', 'e'],
    ['a', 'd', 'f'],
    ['b', 'd', 'f'],
    ['g', 'h'],
  ];
  const latencyMs = 500;

  it('take as long as their longest way, and one after the other as long as all of them', async () => {
    const wide = await timed({});
    const callsOnWay = 1 + 2 * Math.max(...ways.map(({ length }) => length)) + 1;
    expect(wide.wallMs).toBeGreaterThanOrEqual(callsOnWay * latencyMs);
    // The benchmark holds it to 1.15.
    expect(wide.wallMs - wide.waitedMs).toBeLessThan(callsOnWay * latencyMs * 1.6);
    const narrow = await timed({ maxParallel: 1 });
    const calls = 1 + 2 * 8 + 1;
    expect(narrow.wallMs).toBeGreaterThanOrEqual(calls * latencyMs);
    const spans = narrow.run.steps.map(timesOf).sort(([left], [right]) => left - right);
    for (const [index, [from]] of spans.slice(1).entries()) expect(from).toBeGreaterThanOrEqual(spans[index]?.[1] ?? 0);
    expect(ofRole(narrow.run, 'RESEARCHER')).toHaveLength(8);
  });

  async function timed(limits: object) {
    const [started, waited] = [performance.now(), processorWait()];
    const { run } = await team({ plan }, { limits }, { latencyMs });
    const [wallMs, waitedMs] = [performance.now() - started, waited()];
    expect(run.status).toBe('SUCCEEDED');
    return { run, wallMs, waitedMs };
  }
});

describe('the assistant with a model', () => {
  it('searches, and streams one cited answer', async () => {
    const { run, text, callsOf } = await team(
      { answer: 'Twice a minute [1].' },
      { agent: 'assistant', goal: 'How often does the lamp turn?' },
    );
    expect(run).toMatchObject({
      status: 'SUCCEEDED',
      steps: [{ key: 'answer', role: 'ASSISTANT', status: 'SUCCEEDED' }],
    });
    expect(text).toBe('Twice a minute [1].');
    expect(callsOf('ASSISTANT')[0]?.messages.map(textOf).join()).toContain('The lamp turns twice a minute.');
    expect(run.output?.citations[0]?.passage?.text).toContain('twice a minute');
  });
});
