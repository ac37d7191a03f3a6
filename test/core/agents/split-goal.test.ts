import { describe, expect, it } from 'vitest';
import { splitGoal } from '../../../core/agents/plan/split-goal.ts';
import { cpuStopwatch } from '../../helpers/cpu-stopwatch.ts';

describe('a goal without a planner', () => {
  it.each([
    ['one question', 'How do I resume a stream?', ['How do I resume a stream?']],
    [
      'two sentences',
      'How are answers cited? What happens when an instance dies?',
      ['How are answers cited?', 'What happens when an instance dies?'],
    ],
    ['a list', 'Find out:\n- how runs resume\n- what an ingest skips', ['how runs resume', 'what an ingest skips']],
    [
      'numbers in a line',
      '1. How is a key set? 2. What does /metrics show?',
      ['How is a key set?', 'What does /metrics show?'],
    ],
    [
      'a list after a colon',
      'Tell me about: resuming runs, cancelling runs, and budgets.',
      ['resuming runs', 'cancelling runs', 'budgets'],
    ],
    [
      'a choice',
      'Should I use Redis or PostgreSQL for several instances?',
      ['Should I use Redis for several instances?', 'Should I use PostgreSQL for several instances?'],
    ],
    ['a comparison', 'Compare vector and keyword search.', ['vector search', 'keyword search']],
    ['a difference', 'What is the difference between cancelling and disconnecting?', ['cancelling', 'disconnecting']],
    ['two sides', 'SSE vs WebSocket for streaming?', ['SSE for streaming?', 'WebSocket for streaming?']],
    [
      'two questions in one sentence',
      'How long is the log of a run kept, and how long is the run itself kept?',
      ['How long is the log of a run kept', 'how long is the run itself kept?'],
    ],
    ['the same question twice', 'How do runs resume? How do runs resume?', ['How do runs resume?']],
    ['what has no words to search by', '???', ['???']],
  ])('%s is parted by its form', (_name, goal, parts) => {
    expect(splitGoal(goal).map(({ text }) => text)).toEqual(parts);
  });

  it('of a megabyte costs no more than one of a page', () => {
    const spentMs = cpuStopwatch();
    for (const text of ['or vs and ', 'a, b; ', 'x', '\n- y', ': ,']) splitGoal(text.repeat(1_000_000 / text.length));
    expect(spentMs()).toBeLessThan(5_000);
  });

  it('a part that builds on another says so, and names what it is about', () => {
    const [first, second] = splitGoal('Find how a run is cancelled, then what its log ends with.');
    expect(first).toEqual({ text: 'how a run is cancelled', builds: false });
    expect(second).toMatchObject({ builds: true, text: expect.stringContaining('cancelled') });
  });
});
