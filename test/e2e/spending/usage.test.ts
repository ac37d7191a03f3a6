import pLimit from 'p-limit';
import { expect, test } from 'vitest';
import { countTokens } from '../../../core/text/tokens.ts';
import { configFile } from '../../helpers/config-file.ts';
import { startGatewayWithVendor } from '../../helpers/gateway.ts';
import { type Fate, live, plan, type Run, routes } from './fates.ts';

const fates: Readonly<Record<Fate, number>> = {
  finished: 40,
  'asked twice': 20,
  uncounted: 10,
  cut: 25,
  cancelled: 25,
  'cancelled early': 15,
  retried: 20,
  hedged: 10,
  coalesced: 25,
  cached: 10,
};

test('what 200 runs of every fate have used is what the vendor reported, or what was delivered', async () => {
  await using config = await configFile({ routes });
  await using opened = await startGatewayWithVendor({ environment: config.environment });
  const { gateway, vendor } = opened;
  plan(vendor, new Promise(() => {}));
  const others = pLimit(20);
  // A route saves up no hedges: of two that are due at once, one would wait for its first token until that times out.
  const hedged = pLimit(1);
  const wanted = Object.entries(fates).flatMap(([fate, count]) =>
    Array.from({ length: count }, (_, number) => ({ fate: fate as Fate, number })),
  );
  // Mixed, so that no failure stands among failures only; those that are to share a call together.
  const mixed = wanted
    .filter(({ fate }) => fate !== 'coalesced' && fate !== 'cached')
    .map((one, place) => ({ ...one, order: (place * 37) % 165 }))
    .sort((left, right) => left.order - right.order);
  const together = wanted.filter(({ fate }) => fate === 'coalesced');
  const runs = [
    ...(await Promise.all(
      mixed.map(({ fate, number }) => (fate === 'hedged' ? hedged : others)(() => live(gateway, vendor, fate, number))),
    )),
    ...(await Promise.all(together.map(({ fate, number }) => live(gateway, vendor, fate, number)))),
    // One fills the cache, the others come after it.
    await live(gateway, vendor, 'cached', 0),
    ...(await Promise.all(Array.from({ length: fates.cached - 1 }, () => live(gateway, vendor, 'cached', 0)))),
  ];
  expect(runs).toHaveLength(200);

  const calls = vendor.calls('/chat/completions');
  const callsOf = ({ message }: Run) => calls.filter(({ body }) => JSON.stringify(body).includes(message));
  const shared = ['coalesced', 'cached'] as const;
  for (const run of runs.filter(({ fate }) => !shared.some((other) => other === fate))) {
    const reported = callsOf(run).flatMap((call) => call.reported ?? []);
    const { usage, fate, text } = run;
    if (fate === 'hedged') {
      const [winner] = reported;
      expect({ fate, ...usage, inputTokens: 0 }).toEqual({
        ...{ fate, inputTokens: 0, outputTokens: winner?.outputTokens, calls: 2, estimated: true },
      });
      // The loser wrote nothing: what it was sent is counted, by our tokenizer.
      const loser = usage.inputTokens - (winner?.inputTokens ?? 0);
      expect(Math.abs(loser - (winner?.inputTokens ?? 0))).toBeLessThanOrEqual(3);
    } else if (reported.length > 0) {
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
  for (const fate of shared) {
    const alike = runs.filter((run) => run.fate === fate);
    const made = callsOf(alike[0] as Run);
    // One that comes too late on a busy machine makes a call of its own.
    expect(made.length).toBeLessThanOrEqual(fate === 'cached' ? 1 : 5);
    expect(alike.reduce((sum, { usage }) => sum + usage.inputTokens + usage.outputTokens, 0)).toBe(
      made.reduce((sum, { reported }) => sum + (reported?.inputTokens ?? 0) + (reported?.outputTokens ?? 0), 0),
    );
    expect(alike.filter(({ usage }) => usage.calls === 0)).toHaveLength(fates[fate] - made.length);
  }
  expect(new Set(runs.map(({ status, fate }) => `${fate}: ${status}`))).toEqual(
    new Set([
      ...['finished', 'uncounted', 'retried', 'hedged', 'coalesced', 'cached'].map((fate) => `${fate}: SUCCEEDED`),
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
