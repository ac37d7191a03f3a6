import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { textOf } from '../../helpers/vendor/reply.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { bodyOf, planOf, playing, roleOf } from '../agents/team-vendor.ts';
import { agentInput, agUiUrl, runAgent } from './agent.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  const vendorOptions = {
    defaults: playing({ plan: planOf(['lamp', 'keeper']), answer: 'It turns twice a minute [1].' }),
  };
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor({ vendor: vendorOptions })));
  await ingest(gateway, [{ externalId: 'lamp', title: 'The lamp', text: 'The lamp turns twice a minute.' }]);
});
afterAll(() => opened.disposeAsync());

describe('an AG-UI client', () => {
  it('follows a team to its end: its steps side by side, and the answer as one message', async () => {
    const messages = [
      { id: '1', role: 'user', content: 'Do you know the lighthouse?' },
      { id: '2', role: 'assistant', content: 'I do.' },
    ] as const;
    const {
      events,
      messages: after,
      types,
    } = await runAgent(gateway, 'How often does its lamp turn?', {
      messages,
      forwardedProps: { agent: 'research-team', limits: { maxParallel: 2 } },
    });
    const names = (type: string) =>
      events.flatMap((event) => (event.type === type && 'stepName' in event ? [String(event['stepName'])] : []));
    const steps = ['plan', 'lamp', 'keeper', 'check-lamp', 'check-keeper', 'answer'];
    expect(names('STEP_STARTED').toSorted()).toEqual(steps.toSorted());
    expect(names('STEP_FINISHED').toSorted()).toEqual(steps.toSorted());
    expect(types.at(0)).toBe('RUN_STARTED');
    expect(types.at(-1)).toBe('RUN_FINISHED');
    expect(after.at(-1)).toMatchObject({ role: 'assistant', content: 'It turns twice a minute [1].' });
    expect(after).toHaveLength(4);
    const planning = vendor
      .calls('/chat/completions')
      .map(bodyOf)
      .find((call) => roleOf(call) === 'PLANNER');
    expect(planning?.messages.map(textOf).join()).toContain('ASSISTANT: I do.');
  });

  it.each([
    [{ agent: 'nobody' }, 404, /There is no agent/],
    [{ agent: 'research-team', temperature: 1 }, 400, /an agent takes no temperature/],
    [{ limits: { maxSteps: 5 } }, 400, /limits bounds an agent/],
    [{ agent: 'research-team', limits: { maxSteps: 1 } }, 400, /limits\.maxSteps must be 3–100/],
  ])('is told what is wrong with %j', async (forwardedProps, status, message) => {
    const response = await fetch(agUiUrl(gateway), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(agentInput('How?', { forwardedProps })),
    });
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(message);
  });
});
