import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { RunKey } from '../../core/contracts/event-log.ts';
import type { RunSignal, RunSignals } from '../../core/contracts/run-signals.ts';

const patience = { timeout: 20_000, interval: 10 };
const newKey = (tenant = 'tenant'): RunKey => ({ tenant, runId: crypto.randomUUID() });

/**
 * What every RunSignals must do. `open` gives one instance; those of one test hear each other, unless they are `alone` in
 * the world.
 */
export function runSignalsContract(
  name: string,
  open: () => Promise<RunSignals>,
  { alone = false }: { readonly alone?: boolean } = {},
): void {
  async function opened(): Promise<RunSignals> {
    const signals = await open();
    onTestFinished(() => signals.close());
    return signals;
  }

  function heardBy(signals: RunSignals): RunSignal[] {
    const heard: RunSignal[] = [];
    signals.listen((signal) => heard.push(signal));
    return heard;
  }

  describe(`${name} keeps the contract of RunSignals`, () => {
    test('an instance does not hear itself, and does not follow elsewhere what it follows', async () => {
      const signals = await opened();
      const heard = heardBy(signals);
      const key = newKey();
      signals.send({ type: 'released' });
      signals.send({ type: 'cancel', key, reason: 'why not' });
      using _following = signals.follow(key);
      expect(await signals.isFollowedElsewhere(key)).toBe(false);
      expect(await signals.isFollowedElsewhere(newKey())).toBe(false);
      expect(heard).toEqual([]);
    });

    test('can be closed twice, and takes what comes after it without a word', async () => {
      const signals = await opened();
      const following = signals.follow(newKey());
      await signals.close();
      await signals.close();
      signals.send({ type: 'released' });
      following[Symbol.dispose]();
    });
  });

  if (alone) return;
  describe(`${name} between instances`, () => {
    test('every other instance hears what is sent, until its listener is disposed', async () => {
      const [here, there, third] = [await opened(), await opened(), await opened()];
      const heard = [heardBy(there), heardBy(third)];
      const leaving: RunSignal[] = [];
      const listening = there.listen((signal) => leaving.push(signal));
      const key = newKey('té:{nant}');
      const cancel: RunSignal = { type: 'cancel', key, reason: 'no "longer" needed' };
      const sent: readonly RunSignal[] = [cancel, { type: 'answered', key }, { type: 'key-changed', prefix: 'prefix' }];
      // A signal that is sent before the other one listens is lost.
      await vi.waitFor(() => {
        here.send({ type: 'released' });
        for (const each of heard) expect(each.length).toBeGreaterThan(0);
      }, patience);
      listening[Symbol.dispose]();
      const count = leaving.length;
      for (const signal of sent) here.send(signal);
      await vi.waitFor(() => {
        for (const each of heard) expect(each.slice(-sent.length)).toEqual(sent);
      }, patience);
      expect(leaving).toHaveLength(count);
    });

    test('a run is followed elsewhere from the first follower there to the last', async () => {
      const [here, there] = [await opened(), await opened()];
      const key = newKey();
      const first = there.follow(key);
      await vi.waitFor(async () => expect(await here.isFollowedElsewhere(key)).toBe(true), patience);
      expect(await there.isFollowedElsewhere(key)).toBe(false);
      expect(await here.isFollowedElsewhere({ ...key, tenant: 'another' })).toBe(false);
      const second = there.follow(key);
      first[Symbol.dispose]();
      first[Symbol.dispose]();
      // Asked for at the instance that follows, behind what it has just said.
      expect(await there.isFollowedElsewhere(newKey())).toBe(false);
      expect(await here.isFollowedElsewhere(key)).toBe(true);
      second[Symbol.dispose]();
      await vi.waitFor(async () => expect(await here.isFollowedElsewhere(key)).toBe(false), patience);
    });

    test('an instance that closes follows nothing any more', async () => {
      const [here, there] = [await opened(), await opened()];
      const key = newKey();
      there.follow(key);
      await vi.waitFor(async () => expect(await here.isFollowedElsewhere(key)).toBe(true), patience);
      await there.close();
      await vi.waitFor(async () => expect(await here.isFollowedElsewhere(key)).toBe(false), patience);
    });
  });
}
