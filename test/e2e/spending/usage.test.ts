import pLimit from 'p-limit';
import { expect, test } from 'vitest';
import { countTokens } from '../../../core/text/tokens.ts';
import { startGatewayWithVendor } from '../../helpers/gateway.ts';
import { type Fate, live, plan, type Run } from './fates.ts';

const fates: Readonly<Record<Fate, number>> = {
  finished: 60,
  'asked twice': 20,
  uncounted: 10,
  cut: 25,
  cancelled: 25,
  'cancelled early': 15,
  retried: 20,
  coalesced: 25,
};

test('what 200 runs of every fate have used is what the vendor reported, or what was delivered', async () => {
  await using opened = await startGatewayWithVendor();
  const { gateway, vendor } = opened;
  plan(vendor, new Promise(() => {}));
  const limit = pLimit(20);
  const wanted = Object.entries(fates).flatMap(([fate, count]) =>
    Array.from({ length: count }, (_, number) => ({ fate: fate as Fate, number })),
  );
  // Mixed, so that no failure stands among failures only; those that are to share a call together.
  const mixed = wanted
    .filter(({ fate }) => fate !== 'coalesced')
    .map((one, place) => ({ ...one, order: (place * 37) % 175 }))
    .sort((left, right) => left.order - right.order);
  const together = wanted.filter(({ fate }) => fate === 'coalesced');
  const runs = [
    ...(await Promise.all(mixed.map(({ fate, number }) => limit(() => live(gateway, vendor, fate, number))))),
    ...(await Promise.all(together.map(({ fate, number }) => live(gateway, vendor, fate, number)))),
  ];
  expect(runs).toHaveLength(200);

  const calls = vendor.calls('/chat/completions');
  const callsOf = ({ message }: Run) => calls.filter(({ body }) => JSON.stringify(body).includes(message));
  for (const run of runs.filter(({ fate }) => fate !== 'coalesced')) {
    const reported = callsOf(run).flatMap((call) => call.reported ?? []);
    const { usage, fate, text } = run;
    if (reported.length > 0) {
      const sum = (of: 'inputTokens' | 'outputTokens') => reported.reduce((total, one) => total + one[of], 0);
      expect({ fate, ...usage }).toEqual({
        fate,
        inputTokens: sum('inputTokens'),
        outputTokens: sum('outputTokens'),
        calls: fate === 'asked twice' ? 2 : 1,
        estimated: false,
      });
    } else {
      expect({ fate, estimated: usage.estimated, calls: usage.calls }).toEqual({ fate, estimated: true, calls: 1 });
      expect(Math.abs(usage.outputTokens - countTokens(text))).toBeLessThanOrEqual(0.05 * countTokens(text));
      expect(usage.inputTokens).toBeGreaterThan(0);
      if (fate === 'cut' || fate === 'cancelled') expect(text).not.toBe('');
    }
  }
  const shared = runs.filter(({ fate }) => fate === 'coalesced');
  const [call] = callsOf(shared[0] as Run);
  expect(shared.reduce((sum, { usage }) => sum + usage.inputTokens + usage.outputTokens, 0)).toBe(
    (call?.reported?.inputTokens ?? 0) + (call?.reported?.outputTokens ?? 0),
  );
  expect(shared.filter(({ usage }) => usage.calls === 0)).toHaveLength(24);
  expect(new Set(runs.map(({ status, fate }) => `${fate}: ${status}`))).toEqual(
    new Set([
      ...['finished', 'uncounted', 'retried', 'coalesced'].map((fate) => `${fate}: SUCCEEDED`),
      ...['cancelled', 'cancelled early'].map((fate) => `${fate}: CANCELLED`),
      ...['cut', 'asked twice'].map((fate) => `${fate}: FAILED`),
    ]),
  );

  // And the tenant's books have the same.
  const { viewer } = await gateway.data<{ viewer: { usage: { total: Run['usage'] } } }, unknown>(
    '{ viewer { usage { total { inputTokens outputTokens calls estimated } } } }',
  );
  const total = (of: 'inputTokens' | 'outputTokens' | 'calls') => runs.reduce((sum, { usage }) => sum + usage[of], 0);
  expect(viewer.usage.total).toEqual({
    inputTokens: total('inputTokens'),
    outputTokens: total('outputTokens'),
    calls: total('calls'),
    estimated: true,
  });
}, 180_000);
