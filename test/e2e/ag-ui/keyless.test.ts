import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ingest, startGateway, type TestGateway } from '../../helpers/gateway.ts';
import { findRun } from '../chat/turn.ts';
import { runAgent } from './agent.ts';

const warnings = vi.spyOn(console, 'warn');
afterAll(() => warnings.mockRestore());
const opened = new AsyncDisposableStack();
let gateway: TestGateway;
beforeAll(async () => {
  gateway = opened.use(await startGateway());
  await ingest(gateway, [
    {
      externalId: 'tides',
      title: 'Tides',
      text: 'The tides are caused by the gravity of the moon. The sun adds about half as much as the moon does.',
    },
    { externalId: 'bees', title: 'Bees', text: 'Bees dance to tell each other where the flowers are.' },
  ]);
});
afterAll(() => opened.disposeAsync());

test('the official client finishes a chat with citations, without a key', async () => {
  const runId = randomUUID();
  const run = await runAgent(gateway, 'What causes the tides?', { runId, forwardedProps: { retrieval: {} } });
  expect(run.types[0]).toBe('RUN_STARTED');
  expect(run.types.at(-1)).toBe('RUN_FINISHED');
  expect(run.types).toContain('TEXT_MESSAGE_CONTENT');

  const saved = await findRun(gateway, runId);
  const cited = run.events.flatMap((event) =>
    event.type === 'CUSTOM' && event['name'] === 'sluice.source_cited' ? [event['value']] : [],
  );
  expect(cited.length).toBeGreaterThan(0);
  expect(cited[0]).toMatchObject({
    messageId: expect.any(String),
    citation: { number: 1, title: 'Tides', url: null, quote: expect.stringContaining('moon') },
  });
  const message = run.messages.at(-1);
  expect(message).toMatchObject({
    role: 'assistant',
    content: saved?.reply?.text,
    metadata: { sluice: { finishReason: 'STOP', citations: cited.map((value) => (value as Cited).citation) } },
  });
  expect(saved?.reply?.citations.map(({ number }) => number)).toEqual(
    cited.map((value) => (value as Cited).citation.number),
  );
  expect(run.result).toEqual({ usage: expect.objectContaining({ calls: saved?.usage.calls }) });
  expect(warnings).not.toHaveBeenCalled();
});

interface Cited {
  readonly citation: { readonly number: number };
}
