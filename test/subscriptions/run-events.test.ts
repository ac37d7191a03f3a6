import { describe, expect, test, vi } from 'vitest';
import type { Context } from '../../context.ts';
import { scopes } from '../../core/contracts/api-key-store.ts';
import { encodeRunCursor } from '../../core/pagination.ts';
import { MessageTexts } from '../../core/runs/message-texts.ts';
import { cancelRun, eventsOf } from '../../resolvers/runs.ts';
import { runEvents } from '../../subscriptions/run-events.ts';
import { codeOf, collected, keyOf, type Rig, rigOf, startOf } from '../core/runs/rig.ts';

const runId = '0190a0a0-0000-7000-8000-000000000000';

function contextOf(rig: Rig, tenant: string): Context {
  const { runs, clock } = rig;
  const services = { runs, clock, limits: { maxFirstMessages: 500 } };
  const principal = { tenant, keyId: null, keyName: null, scopes };
  // All that runs need of a context: the rest of it would be a gateway.
  return { services, principal, signal: new AbortController().signal } as unknown as Context;
}

/** A run that has said "one two three", in three deltas, and has ended. */
async function spoken(tenant = 'acme'): Promise<Rig> {
  const rig = rigOf({
    executor: async ({ emit, run }) => {
      for (const delta of ['one', ' two', ' three']) {
        emit({ type: 'TextMessageDelta', messageId: 'm', delta });
        await rig.log.read(run, 0, 1);
        // An event between them, so that they stay three.
        emit({ type: 'ProgressReported', done: 1, total: 1 });
      }
      return {};
    },
  });
  await startOf(rig.runs, { runId, tenant });
  await rig.runs.whenFinished(keyOf(runId, tenant), new AbortController().signal);
  return rig;
}

describe('textSoFar', () => {
  test('is built when it is selected, from what the log has before the cursor too', async () => {
    const rig = await spoken();
    const context = contextOf(rig, 'acme');
    const all = await collected(runEvents({ runId, wantsTextSoFar: true }, context));
    expect(all.flatMap(({ textSoFar }) => textSoFar ?? [])).toEqual(['one', 'one two', 'one two three']);
    const after = encodeRunCursor(keyOf(runId, 'acme'), 4);
    const rest = await collected(runEvents({ runId, after, wantsTextSoFar: true }, context));
    expect(rest.flatMap(({ textSoFar }) => textSoFar ?? [])).toEqual(['one two three']);
  });

  test('is not built when it is not: nothing is read back, and no text is kept', async () => {
    const rig = await spoken();
    const context = contextOf(rig, 'acme');
    const read = vi.spyOn(rig.log, 'read');
    const take = vi.spyOn(MessageTexts.prototype, 'take');
    const after = encodeRunCursor(keyOf(runId, 'acme'), 2);
    const run = (await rig.runs.find(keyOf(runId, 'acme'))) ?? expect.unreachable();
    const views = await collected(runEvents({ runId, after, wantsTextSoFar: false }, context));
    expect(views.length).toBeGreaterThan(2);
    expect(views.every((view) => !('textSoFar' in view))).toBe(true);
    // To see whether the log is still there.
    expect(read.mock.calls.map(([, from, limit]) => [from, limit])).toEqual([[0, 1]]);
    const page = await eventsOf(run, { first: 10, wantsTextSoFar: false }, context);
    expect(page.edges.every(({ node }) => !('textSoFar' in node))).toBe(true);
    expect(take).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});

describe('another tenant', () => {
  test('has no such run: not to follow, not to cancel, not by a cursor of it', async () => {
    vi.useFakeTimers();
    try {
      const rig = await spoken('acme');
      const context = contextOf(rig, 'other');
      const following = codeOf(collected(runEvents({ runId, wantsTextSoFar: false }, context)));
      await vi.advanceTimersByTimeAsync(5_500);
      expect(await following).toBe('NOT_FOUND');
      expect(await codeOf(cancelRun({ runId }, context))).toBe('NOT_FOUND');
      expect(await rig.runs.byRunIds('other', [runId])).toEqual([]);
      expect(await rig.runs.unstoredReply(keyOf(runId, 'other'))).toBeNull();
      const after = encodeRunCursor(keyOf(runId, 'acme'), 2);
      expect(() => runEvents({ runId, after, wantsTextSoFar: false }, context)).toThrow('after must be a cursor');
      // The same id is free there, and its log is another.
      await startOf(rig.runs, { runId, tenant: 'other', input: 'something else' });
      await vi.advanceTimersByTimeAsync(100);
      expect(await codeOf(cancelRun({ runId }, context))).toBeNull();
      expect(await rig.runs.find(keyOf(runId, 'acme'))).toMatchObject({ inputHash: 'input' });
      expect(await rig.runs.find(keyOf(runId, 'other'))).toMatchObject({ inputHash: 'something else' });
    } finally {
      vi.useRealTimers();
    }
  });
});
