import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../../helpers/gateway.ts';
import { type EventSeen, ofRole, runAgent, timesOf } from './agent-run.ts';

/*
 * Without a key, over the docs that come with the gateway: goals of ten shapes. `lookUps`: the plan that fits. `says`: what stands
 * in the answer; null: the docs do not know, and the team says so.
 */
const goals: readonly {
  readonly shape: string;
  readonly goal: string;
  readonly lookUps: readonly RegExp[];
  readonly says: readonly RegExp[] | null;
}[] = [
  {
    shape: 'a single look-up',
    goal: 'How long is the log of a finished run kept?',
    lookUps: [/log of a finished run/],
    says: [/one hour|log\.retentionMs/],
  },
  {
    shape: 'two sentences',
    goal: 'How are answers cited? What happens when an instance dies?',
    lookUps: [/answers cited/, /instance dies/],
    says: [/cit/, /instance/],
  },
  {
    shape: 'a list',
    goal: 'Find out:\n- which file types ingest reads\n- how a run is cancelled\n- what a StreamGap is',
    lookUps: [/file types/, /cancelled/, /StreamGap/],
    says: [/StreamGap/, /cancel/i],
  },
  {
    shape: 'a numbered list in one line',
    goal: '1. How is a budget of a key set? 2. How does metadata filtering work? 3. Which headers does SSE need? 4. What is a route?',
    lookUps: [/budget/, /filtering/, /headers/, /route/],
    says: [/budget/i, /route/i],
  },
  {
    shape: 'items after a colon',
    goal: 'Tell me about: resuming runs, cancelling runs, and budgets of keys.',
    lookUps: [/resuming/, /cancelling/, /budgets/],
    says: [/cancel/i],
  },
  {
    shape: 'one question with two sides',
    goal: 'Should I use Redis or PostgreSQL for the logs of several instances?',
    lookUps: [/Redis/, /PostgreSQL/],
    says: [/Redis/],
  },
  {
    shape: 'a comparison',
    goal: 'Compare vector and keyword search.',
    lookUps: [/vector search/, /keyword search/],
    says: [/vector/i],
  },
  {
    shape: 'two questions in one sentence',
    goal: 'What does verify do in a chat, and what does rerank do in a search?',
    lookUps: [/verify/, /rerank/],
    says: [/verif/i],
  },
  {
    shape: 'a second thing that builds on the first',
    goal: 'Find how a run is cancelled, then which finish reason its reply has.',
    lookUps: [/cancelled/, /finish reason/],
    says: [/CANCELLED/],
  },
  {
    shape: 'what the docs cannot answer',
    goal: 'Who won the football world cup in 1998?',
    lookUps: [/football/],
    says: null,
  },
];

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let runs: readonly Awaited<ReturnType<typeof runAgent>>[];
beforeAll(async () => {
  gateway = opened.use(await startGateway({ environment: { SLUICE_SEED_DOCS: 'true' } }));
  runs = await Promise.all(goals.map(({ goal }) => runAgent(gateway, { goal })));
});
afterAll(() => opened.disposeAsync());

describe('the research team without a key', () => {
  it.each(goals.map((goal, index) => ({ ...goal, index })))(
    'plans $shape, looks it up, checks, and answers with citations or an honest refusal',
    ({ index, lookUps, says }) => {
      const { run, events, text } = runs[index] ?? { run: null, events: [], text: '' };
      if (run === null) throw new Error('it did not run');
      expect(run).toMatchObject({ status: 'SUCCEEDED', error: null, finishReason: 'STOP' });

      const researchers = ofRole(run, 'RESEARCHER');
      expect(researchers).toHaveLength(lookUps.length);
      for (const [place, pattern] of lookUps.entries())
        expect(researchers[place]?.title).toMatch(new RegExp(pattern, 'i'));
      expect(ofRole(run, 'VALIDATOR').map(({ dependsOn }) => dependsOn.map(({ key }) => key))).toEqual(
        researchers.map(({ key }) => [key]),
      );
      for (const { status, output } of ofRole(run, 'VALIDATOR')) {
        expect(status).toBe('SUCCEEDED');
        expect(output).toMatch(/^(?:Accepted\.$|Weak: .)/);
      }
      expectInOrder(run.steps, events);

      expect(text).toBe(run.output?.text);
      expect(run.output?.model).toBe('extractive');
      for (const { quote, passage } of run.output?.citations ?? []) expect(passage?.text).toContain(quote);
      if (says === null) {
        expect(text).toBe('The documents do not answer this.');
        expect(researchers.map(({ attempt }) => attempt)).toEqual([2]);
        return;
      }
      for (const pattern of says) expect(text).toMatch(pattern);
      expect(run.output?.citations.length).toBeGreaterThan(0);
      for (const { number } of run.output?.citations ?? []) expect(text).toContain(`[${number}]`);
    },
  );

  it('looks things up at the same time where one does not build on the other', () => {
    for (const { run } of runs) {
      const independent = ofRole(run, 'RESEARCHER').filter(
        ({ dependsOn, attempt }) => dependsOn.length === 0 && attempt === 1,
      );
      for (const step of independent.slice(1)) {
        const [from, to] = timesOf(independent[0] ?? step);
        const [begins, ends] = timesOf(step);
        expect(Math.max(from, begins)).toBeLessThanOrEqual(Math.min(to, ends));
      }
    }
  });

  it('shows its members and that no model here can write', async () => {
    const { agents } = await gateway.data<{ agents: unknown }, object>(
      '{ agents { id name topology members { name role model instructions } tools { name } } }',
    );
    expect(agents).toMatchObject([
      { name: 'assistant', topology: 'SINGLE', members: [{ role: 'ASSISTANT', model: 'extractive' }] },
      {
        name: 'research-team',
        topology: 'TEAM',
        members: [
          { role: 'PLANNER', model: 'extractive' },
          { role: 'RESEARCHER', model: 'extractive' },
          { role: 'VALIDATOR', model: 'extractive' },
          { role: 'EXECUTOR', model: 'extractive' },
        ],
      },
    ]);
    expect(runs[0]?.events.find(({ role }) => role === 'PLANNER')?.title).toMatch(/by rules/);
  });

  it('cuts a plan that is longer than maxSteps, and says so', async () => {
    const goal = '1. How is a budget set? 2. What is a route? 3. What is a StreamGap? 4. How is a run cancelled?';
    const { run, text } = await runAgent(gateway, { goal, limits: { maxSteps: 5 } });
    expect(run).toMatchObject({ status: 'SUCCEEDED', finishReason: 'LENGTH' });
    expect(run.steps).toHaveLength(5);
    expect(text).toContain('maxSteps of 5');
  });
});

describe('the assistant without a key', () => {
  it('answers in one step, with citations', async () => {
    const { run, events, text } = await runAgent(gateway, { agent: 'assistant', goal: 'What is a StreamGap?' });
    expect(run).toMatchObject({
      status: 'SUCCEEDED',
      finishReason: 'STOP',
      steps: [{ key: 'answer', role: 'ASSISTANT' }],
    });
    expect(text).toBe(run.output?.text);
    expect(text).toMatch(/\[1\]/);
    expect(events.map(({ __typename }) => __typename)).toEqual(
      expect.arrayContaining(['RunStarted', 'StepStarted', 'TextMessageStarted', 'StepFinished', 'RunFinished']),
    );
  });
});

/** Each step is told to start once for each attempt, after all that it depends on, and to finish as often. */
function expectInOrder(
  steps: Awaited<ReturnType<typeof runAgent>>['run']['steps'],
  events: readonly EventSeen[],
): void {
  const told = (type: string, key: string) => events.filter((event) => event.__typename === type && event.step === key);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
  for (const { key, attempt, status, dependsOn } of steps) {
    const starts = told('StepStarted', key);
    const ends = told('StepFinished', key);
    expect(starts).toHaveLength(attempt);
    expect(ends).toHaveLength(attempt);
    expect(ends.at(-1)?.stepStatus).toBe(status);
    for (const { key: other } of dependsOn) {
      expect(starts.at(-1)?.seq).toBeGreaterThan(told('StepFinished', other).at(-1)?.seq ?? Number.POSITIVE_INFINITY);
    }
  }
}
