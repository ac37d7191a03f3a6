import { expect, test } from 'vitest';
import type { AgentInput, Said } from '../../../core/agents/agent-input.ts';
import { type StartAgentServices, startAgent } from '../../../core/agents/start-agent.ts';
import type { StartRun } from '../../../core/runs/runs.ts';
import { castOf } from './cast.ts';
import { teamServices } from './rig.ts';

test('of a long history only what a goal is understood by is kept with the run', async () => {
  const started: StartRun[] = [];
  const services = {
    ...teamServices(castOf({}), { list: () => [], named: () => [] }),
    limits: { maxFirst: 100, maxMessageChars: 1_000_000 },
    runs: { start: async (request: StartRun) => void started.push(request) },
  } as unknown as StartAgentServices; // what a start without schemas asks of them
  const history = Array.from({ length: 10_000 }, (_, index): Said => {
    return { role: index % 2 === 0 ? 'USER' : 'ASSISTANT', text: `${index} ${'word '.repeat(1_000)}` };
  });
  await startAgent(services, { tenant: 'tenant', keyId: null }, 'run', {
    ...{ agent: 'assistant', goal: 'And why?', conversationId: null, history, retrieval: null, clientTools: [] },
    ...{ responseSchema: null, limits: null, whenUnwatched: 'FINISH', user: null, metadata: {} },
  });
  const [request] = started;
  if (request === undefined) expect.unreachable();
  const { history: kept } = request.run.input as AgentInput; // what startAgent gave to the store
  expect(kept).toHaveLength(20);
  expect(kept.at(-1)?.text).toMatch(/^9999 word/);
  expect(JSON.stringify(kept).length).toBeLessThan(50_000);
});
