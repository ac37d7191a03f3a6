import { describe, expect, test } from 'vitest';
import { answersIn } from '../../../server/ag-ui/answers.ts';
import { saidIn } from '../../../server/ag-ui/history.ts';
import type { InputMessage } from '../../../server/ag-ui/run-agent-input.ts';

const runId = '00000000-0000-4000-8000-000000000000';
const user: InputMessage = { id: 'u', role: 'user', content: 'Where?' };
const calling = (callId: string, args = '{}'): InputMessage => {
  const id = `${callId}@${runId}`;
  return { id, role: 'assistant', toolCalls: [{ id, function: { name: 'locate', arguments: args } }] };
};
const result = (callId: string, content: string): InputMessage => ({
  ...{ id: `result of ${callId}`, role: 'tool', toolCallId: `${callId}@${runId}`, content },
});
const resultsOf = (...messages: InputMessage[]) => answersIn({ messages, resume: null })?.results;

describe('results at the end of the messages', () => {
  test('answer the run behind its calls, or each behind its own', () => {
    const given = [
      { callId: 'a', runId, value: 1, error: null },
      { callId: 'b', runId, value: 'two', error: null },
    ];
    expect(resultsOf(user, calling('a'), calling('b'), result('a', '1'), result('b', 'two'))).toEqual(given);
    expect(resultsOf(user, calling('a'), result('a', '1'), calling('b'), result('b', 'two'))).toEqual(given);
  });

  test('answer nothing once something else was said', () => {
    const answer: InputMessage = { id: 'x', role: 'assistant', content: 'In Oslo.' };
    expect(resultsOf(user, calling('a'), result('a', '1'), answer, user)).toBeUndefined();
    expect(resultsOf(user, calling('a'), result('a', '1'), user)).toBeUndefined();
  });

  test('count once when they say the same, and are refused when they do not', () => {
    expect(resultsOf(user, calling('a'), result('a', '1'), result('a', '1'))).toHaveLength(1);
    expect(() => resultsOf(user, calling('a'), result('a', '1'), result('a', '2'))).toThrow(
      `one answer to each call, got two for a@${runId}`,
    );
  });
});

test('two decisions about one question must be the same', () => {
  const decided = (approved: boolean) => ({
    ...{ interruptId: `approval-1:a@${runId}`, status: 'resolved' as const, payload: { approved } },
  });
  const resume = [decided(true), decided(true)];
  expect(answersIn({ messages: [user], resume })?.decisions).toHaveLength(1);
  expect(() => answersIn({ messages: [user], resume: [decided(true), decided(false)] })).toThrow(
    `one answer to each call, got two for a@${runId}`,
  );
});

describe('the history', () => {
  test('keeps a call whose arguments are no JSON, or no object, as it was written', () => {
    for (const written of ['{"exact": ', '"very"', '[1]', 'null']) {
      const said = saidIn([user, calling('a', written), result('a', 'no'), user]);
      expect(said[1]?.toolCalls).toEqual([{ id: 'a', tool: 'locate', arguments: { written } }]);
    }
    expect(saidIn([user, calling('a', ' '), result('a', 'no'), user])[1]?.toolCalls?.[0]?.arguments).toEqual({});
  });

  test('says of a result what of it is no text', () => {
    const image = { type: 'image' as const, source: { type: 'url' as const, value: 'https://example.com/cat.png' } };
    const shown: InputMessage = {
      ...{ id: 'r', role: 'tool', toolCallId: `a@${runId}` },
      content: [{ type: 'text', text: 'A cat.' }, image],
    };
    expect(saidIn([user, calling('a'), shown, user])[2]?.text).toBe('A cat.\n(image left out: a result is text)');
    expect(resultsOf(user, calling('a'), shown)?.[0]?.value).toBe('A cat.\n(image left out: a result is text)');
  });
});
