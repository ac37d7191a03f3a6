/** A word or a few that name one side: "PostgreSQL", "the embedded database", "vector search". */
const words = String.raw`[\p{L}\p{N}][\p{L}\p{N}.'’_-]*`;
const name = String.raw`(?:(?:the|a|an)\s+)?${words}(?:\s+${words}){0,3}?`;
const comparing =
  /^(?:please\s+)?(?:compare|contrast|(?:what(?:'s| is| are) )?(?:the )?differences? between)\s+(.+?)\s+(?:and|with|to|versus|vs\.?)\s+(.+?)[.?!]*$/iu;
const versus = new RegExp(
  String.raw`^(.*?)(${name})\s+(?:versus|vs\.?)\s+(${name})((?:\s+(?:for|in|on|with|when|at|of|to)\b.*)?)[.?!]*$`,
  'iu',
);
/** A longer one is no short question about two things. */
const maxLength = 300;
/** What comes before or after the two names of a choice, and belongs to neither. */
const around = new Set(
  'should shall can could do does did is are was i we you one use choose take prefer want need have to for in on with when at of from by as if my our your between either whether it be run keep store send pick set make the a an via through over than better rather more'.split(
    ' ',
  ),
);

/**
 * The two sides of a comparison or a choice, each as a question of its own: "Redis or PostgreSQL for several instances?" becomes
 * one about each. A text with one side comes back as it is.
 */
export function sidesOf(text: string): readonly string[] {
  if (text.length > maxLength) return [text];
  const [, left = '', right = ''] = comparing.exec(text.trim()) ?? [];
  if (left !== '' && right !== '')
    return [left, right].map((side, index) => completed(side, index === 0 ? right : left));
  const [, before = '', one = '', other = '', after = ''] = versus.exec(text.trim()) ?? [];
  if (one !== '') return [one, other].map((side) => `${before}${side}${after}`.trim());
  return choice(text.trim()) ?? [text];
}

/** "vector and keyword search": the first side lacks what the second ends with. */
function completed(side: string, other: string): string {
  const last = /\s(\S+)$/.exec(other)?.[1];
  return last === undefined || side.includes(' ') || /^\p{Lu}/u.test(side) ? side : `${side} ${last}`;
}

/** "Should I use Redis or PostgreSQL for …?": the nearest words on both sides of "or", up to what belongs to the sentence. */
function choice(text: string): readonly string[] | null {
  if (!/\?$/.test(text) && !/^(?:should|whether|choose|decide)\b/i.test(text)) return null;
  const [, before = '', after = ''] = /^(.*\S)\s+or\s+(\S.*)$/i.exec(text) ?? [];
  if (before === '' || /\bor\b/i.test(before)) return null;
  const left = tail(before.split(/\s+/));
  // "with Redis or with Ollama": the second preposition is the first one again.
  const words = after
    .replace(/^(?:with|by|in|on|over|via|through|for|to|from)\s+/i, '')
    .replace(/[.?!]+$/, '')
    .split(/\s+/);
  const right = head(words);
  if (left.length === 0 || right.length === 0) return null;
  const start = before.split(/\s+/).slice(0, -left.length);
  const rest = words.slice(right.length);
  return [left, right].map((side) => `${[...start, ...side, ...rest].join(' ')}?`);
}

const belongs = (word: string): boolean => !around.has(word.toLowerCase()) && !/[,;:]$/.test(word);

function tail(all: readonly string[]): readonly string[] {
  const from = all.findLastIndex((word) => !belongs(word)) + 1;
  return all.slice(Math.max(from, all.length - 3));
}

function head(all: readonly string[]): readonly string[] {
  const to = all.findIndex((word) => !belongs(word));
  return all.slice(0, Math.min(to < 0 ? all.length : to, 3));
}
