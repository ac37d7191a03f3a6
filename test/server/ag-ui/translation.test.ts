import type { Message } from '@ag-ui/core';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { type CitationRecord, isTerminal, type RunEvent } from '../../../core/contracts/run-event.ts';
import type { FollowedEvent } from '../../../core/runs/follow-run.ts';
import { encodeId } from '../../../resolvers/global-id.ts';
import type { AgUiEvent } from '../../../server/ag-ui/events.ts';
import type { SavedReply } from '../../../server/ag-ui/told-texts.ts';
import { Translation } from '../../../server/ag-ui/translation.ts';
import { appliedTo } from './replay.ts';

const usage = { inputTokens: 9, cachedInputTokens: 2, outputTokens: 4, calls: 1, costUsd: null, estimated: false };
const question: Message = { id: 'question', role: 'user', content: 'Why?' };
const earlier: Message[] = [
  { id: 'earlier-question', role: 'user', content: 'What?' },
  { id: 'earlier-thought', role: 'reasoning', content: 'That.' },
  { id: 'earlier-answer', role: 'assistant', content: 'That.' },
];
const conversation = [...earlier, question];
const messageId = '5d8ad4a8-9a26-4b3c-8a2b-0f5f3a1c7e11';
const toldId = encodeId('Message', messageId);

// What the client was not given as the protocol has it, it drops with a warning.
const warnings = vi.spyOn(console, 'warn');
afterAll(() => warnings.mockRestore());
afterEach(() => {
  expect(warnings).not.toHaveBeenCalled();
  warnings.mockClear();
});

function translation(protocolVersion: string | null = '1.0'): Translation {
  return new Translation({
    threadId: 'thread',
    runId: 'run',
    graphRunId: '00000000-0000-4000-8000-000000000000',
    protocolVersion,
    messages: conversation,
    continuesAfter: 0,
  });
}

const delta = (text: string): RunEvent => ({ type: 'TextMessageDelta', messageId, delta: text });
const thought = (text: string): RunEvent => ({ type: 'ReasoningDelta', messageId, delta: text });
const reset: RunEvent = { type: 'TextMessageReset', messageId, reason: 'It was not JSON.' };
const citation = (number: number): CitationRecord => ({
  number,
  quote: `quote ${number}`,
  title: 'Title',
  url: null,
  passageId: `passage-${number}`,
});
const toldCitation = (number: number) => ({
  ...citation(number),
  passageId: encodeId('Passage', `passage-${number}`),
});
const cited = (number: number): RunEvent => ({ type: 'SourceCited', messageId, citation: citation(number) });
const begun: RunEvent[] = [
  { type: 'RunStarted', kind: 'CHAT' },
  { type: 'TextMessageStarted', messageId },
];
const ended: RunEvent[] = [
  { type: 'TextMessageEnded', messageId, finishReason: 'STOP' },
  { type: 'RunFinished', usage },
];
const failed: RunEvent[] = [
  { type: 'TextMessageEnded', messageId, finishReason: 'ERROR' },
  {
    type: 'RunFailed',
    error: { code: 'UPSTREAM_UNAVAILABLE', message: 'It broke.', retryable: true, details: { attempts: 1 } },
    usage,
  },
];

/** The whole stream of a reader that joins after the first `from` events. */
function streamOf(
  events: readonly FollowedEvent['event'][],
  { from = 0, reply = null, protocolVersion }: StreamOptions = {},
): AgUiEvent[] {
  const ofRun = translation(protocolVersion);
  for (const event of events.slice(0, from)) take(ofRun, event, reply);
  return [...ofRun.start(), ...events.slice(from).flatMap((event) => take(ofRun, event, reply))];
}
interface StreamOptions {
  readonly from?: number;
  readonly reply?: SavedReply | null;
  readonly protocolVersion?: string | null;
}

function take(ofRun: Translation, event: FollowedEvent['event'], reply: SavedReply | null): AgUiEvent[] {
  return event.type !== 'StreamGap' && isTerminal(event)
    ? ofRun.end(event, ofRun.lost ? reply : null)
    : ofRun.take(event);
}

const types = (events: readonly AgUiEvent[]): string[] => events.map(({ type }) => type);
const replyIn = (messages: readonly Message[]): Message | undefined => messages.find(({ id }) => id === toldId);

describe('a run in AG-UI', () => {
  test('tells its text between a start and an end, and its usage when it finishes', async () => {
    const events = streamOf([...begun, delta('The '), delta('tides.'), ...ended]);
    expect(types(events)).toEqual([
      'RUN_STARTED',
      'TEXT_MESSAGE_START',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_END',
      'RUN_FINISHED',
    ]);
    expect(events[0]).toMatchObject({ threadId: 'thread', runId: 'run', protocolVersion: '1.0' });
    expect(events.at(-1)).toEqual({
      type: 'RUN_FINISHED',
      threadId: 'thread',
      runId: 'run',
      result: { usage },
      usage: [{ inputTokens: 9, outputTokens: 4, totalTokens: 13, cachedInputTokens: 2 }],
    });
    expect(await appliedTo(conversation, events)).toMatchObject([...conversation, { content: 'The tides.' }]);
  });

  test('puts reasoning above the text, and apart from it', async () => {
    const events = streamOf([...begun, thought('Hm, '), thought('tides.'), delta('The moon.'), ...ended]);
    expect(types(events)).toEqual([
      'RUN_STARTED',
      'REASONING_START',
      'REASONING_MESSAGE_START',
      'REASONING_MESSAGE_CONTENT',
      'REASONING_MESSAGE_CONTENT',
      'REASONING_MESSAGE_END',
      'REASONING_END',
      'TEXT_MESSAGE_START',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_END',
      'RUN_FINISHED',
    ]);
    const messages = await appliedTo(conversation, events);
    expect(messages.slice(conversation.length)).toMatchObject([
      { role: 'reasoning', content: 'Hm, tides.' },
      { role: 'assistant', content: 'The moon.' },
    ]);
  });

  test('leaves its citations on the message', async () => {
    const events = streamOf([...begun, delta('The moon [1].'), cited(1), ...ended]);
    expect(events).toContainEqual({
      type: 'CUSTOM',
      name: 'sluice.source_cited',
      value: { messageId: toldId, citation: toldCitation(1) },
    });
    expect(replyIn(await appliedTo(conversation, events))?.metadata).toEqual({
      sluice: { finishReason: 'STOP', citations: [toldCitation(1)] },
    });
  });

  test('takes text back when the generation begins again, with the sources of before', async () => {
    const events = streamOf([...begun, delta('{"broken'), cited(1), reset, delta('{}'), cited(2), ...ended]);
    const messages = await appliedTo(conversation, events);
    expect(messages).toMatchObject([...conversation, { id: toldId, content: '{}' }]);
    expect(replyIn(messages)?.metadata).toMatchObject({ sluice: { citations: [toldCitation(2)] } });
  });

  test('says nothing of a message that broke before its first text', async () => {
    const events = streamOf([...begun, ...failed]);
    expect(types(events)).toEqual(['RUN_STARTED', 'RUN_ERROR']);
    expect(events.at(-1)).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      message: 'It broke.',
      metadata: { sluice: { retryable: true, attempts: 1 } },
    });
  });

  test('has an empty message when the model said nothing', async () => {
    const messages = await appliedTo(conversation, streamOf([...begun, ...ended]));
    expect(messages).toMatchObject([...conversation, { id: toldId, content: '' }]);
  });

  test('that was stopped ends as cancelled, and as an error for clients that know no outcomes', () => {
    const stopped: RunEvent[] = [...begun, { type: 'RunCancelled', reason: 'Cancelled by cancelRun.', usage }];
    expect(streamOf(stopped).at(-1)).toMatchObject({ type: 'RUN_FINISHED', outcome: { type: 'cancelled' } });
    const older = streamOf(stopped, { protocolVersion: null });
    expect(older.at(-1)).toMatchObject({ type: 'RUN_ERROR', code: 'CANCELLED', message: 'Cancelled by cancelRun.' });
    expect(older[0]).not.toHaveProperty('protocolVersion');
  });
});

describe('a run whose events are not all there', () => {
  const reply: SavedReply = { id: messageId, text: 'The moon [1].', citations: [citation(1)], finishReason: 'STOP' };
  const gap = { type: 'StreamGap' } as const;

  test('has the saved reply in the end, for who saw nothing of it', async () => {
    const events = streamOf([gap, delta(' [1].'), ...ended], { reply });
    expect(types(events)).toEqual(['RUN_STARTED', 'CUSTOM', 'MESSAGES_SNAPSHOT', 'RUN_FINISHED']);
    const messages = await appliedTo(conversation, events);
    expect(messages).toMatchObject([...conversation, { id: toldId, content: reply.text }]);
  });

  test('has the saved reply in the end, for who saw its beginning, and each source once', async () => {
    const events = streamOf([...begun, delta('The'), cited(1), gap, delta('.'), ...ended], { reply });
    expect(types(events).filter((type) => type === 'CUSTOM')).toHaveLength(1);
    const messages = await appliedTo(conversation, events);
    expect(messages).toMatchObject([...conversation, { id: toldId, content: reply.text }]);
    expect(replyIn(messages)?.metadata).toEqual({ sluice: { finishReason: 'STOP', citations: [toldCitation(1)] } });
  });

  test('has no reply in the end when none was saved', async () => {
    const events = streamOf([...begun, delta('The'), gap, ...failed.slice(1)]);
    expect(await appliedTo(conversation, events)).toEqual(conversation);
    expect(events.at(-1)?.type).toBe('RUN_ERROR');
  });
});

describe('whatever a run says, and wherever its stream is cut', () => {
  const middle = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.string({ minLength: 1 }).map(delta) },
      { weight: 3, arbitrary: fc.string({ minLength: 1 }).map(thought) },
      { weight: 2, arbitrary: fc.nat(9).map(cited) },
      { weight: 1, arbitrary: fc.constant(reset) },
    ),
    { maxLength: 20 },
  );
  const endings = fc.constantFrom(ended, failed);

  test('each stream is in order, and both together leave the text that one alone leaves', async () => {
    await fc.assert(
      fc.asyncProperty(middle, endings, fc.nat(24), async (said, ending, cut) => {
        const log = [...begun, ...said, ...ending];
        const from = Math.min(cut, log.length - 1);
        const whole = await appliedTo(conversation, streamOf(log));
        const before = await appliedTo(conversation, streamOf(log.slice(0, from)));
        const after = await appliedTo(before, streamOf(log, { from }));
        expect(after.map(withoutMetadata)).toEqual(whole.map(withoutMetadata));
        expect(replyIn(after)?.metadata).toEqual(replyIn(whole)?.metadata);
        const text = said.slice(said.lastIndexOf(reset) + 1).flatMap(textOf);
        expect(replyIn(whole)?.content ?? '').toBe(text.join(''));
      }),
      { numRuns: 150 },
    );
  });

  test('what may not be said twice is the last that an event becomes', () => {
    fc.assert(
      fc.property(middle, endings, (said, ending) => {
        const ofRun = translation();
        for (const event of [...begun, ...said, ...ending]) {
          const earlierOnes = take(ofRun, event, null).slice(0, -1);
          expect(types(earlierOnes).filter((type) => /CONTENT$|CUSTOM/.test(type))).toEqual([]);
        }
      }),
    );
  });
});

function textOf(event: RunEvent): string[] {
  return event.type === 'TextMessageDelta' ? [event.delta] : [];
}

function withoutMetadata({ metadata: _metadata, ...message }: Message): unknown {
  return message;
}
