import { expect, test } from 'vitest';
import { buildPrompt, type PromptParts } from '../../../core/chat/prompt.ts';
import type { Said } from '../../../core/chat/said.ts';
import type { ChatMessage } from '../../../core/contracts/model-provider.ts';
import type { NumberedSource } from '../../../core/text/source-prompt.ts';

/* Providers bill the beginning of a prompt that they have seen before at a fraction of its price, as far as it is the same byte for byte. */

const say = (role: Said['role'], text: string, cites = false): Said => ({ role, text, attachments: [], cites });
const room = 100_000;

/** The prompt of each turn of a talk, in which every answer becomes history. */
function prompts(turns: number, partsOf: (turn: number) => Partial<PromptParts>): string[] {
  const history: Said[] = [];
  return Array.from({ length: turns }, (_, turn) => {
    const question = say('USER', `Question ${turn}: what about otters?`);
    const parts = {
      system: 'Be brief.',
      sources: null,
      cites: false,
      history: [...history],
      question,
      ...partsOf(turn),
    };
    history.push(question, say('ASSISTANT', `Answer ${turn} [1].`, parts.cites));
    return wire(buildPrompt(parts, room).messages);
  });
}

const wire = (messages: readonly ChatMessage[]): string =>
  messages.map(({ role, text }) => `<${role}>${text}</>`).join('');

const source = (turn: number): NumberedSource => ({
  ...{ number: 1, title: `Title ${turn}`, url: null, passageId: `${turn}`, text: `Text of turn ${turn}.` },
});

/** Of a talk's prompts, how much of each is the beginning of the next. */
function shared(one: string, next: string): string {
  let length = 0;
  while (length < one.length && one[length] === next[length]) length += 1;
  return one.slice(0, length);
}

test('without sources the whole prompt of a turn is the beginning of the next one', () => {
  const all = prompts(20, () => ({}));
  for (const [turn, prompt] of all.slice(1).entries()) expect(prompt.startsWith(all[turn] ?? '?')).toBe(true);
});

test('with sources, which differ from turn to turn, the instructions and the rules of citing are', () => {
  const all = prompts(5, (turn) => ({ sources: [source(turn)], cites: true }));
  const rules = all[0]?.slice(0, all[0].indexOf('Sources:\n')) ?? '?';
  expect(rules).toContain('Use only the numbered sources');
  for (const [turn, prompt] of all.slice(1).entries())
    expect(shared(all[turn] ?? '', prompt).startsWith(rules)).toBe(true);
});

test('the same turn makes the same bytes', () => {
  const once = () => prompts(3, (turn) => ({ sources: [source(turn)], cites: true }));
  expect(once()).toEqual(once());
});
