import type { Reply } from './chat.ts';
import { type Exchange, pause, unlessGone, untilGone, write, writeHead } from './exchange.ts';
import { epochMs } from './journal.ts';
import { toolCallDeltas } from './tool-calls.ts';

/** Streams a reply as server-sent events: tokens by the clock, and whatever was planned to go wrong on the way. */
export async function streamReply(exchange: Exchange, reply: Reply, stampTokens: boolean): Promise<void> {
  const { behaviour, response, signal } = exchange;
  const event = eventsOf(reply);
  writeHead(exchange, 200, 'text/event-stream; charset=utf-8');
  // As OpenAI does: the role comes before there is any token, so it must not count as one.
  await write(exchange, event({ role: 'assistant', content: '' }));
  await pause(behaviour.firstTokenMs, signal);
  const reasoningField = behaviour.reasoningField ?? 'reasoning_content';
  for (const thought of reply.reasoning) await write(exchange, event({ [reasoningField]: thought }));

  const clock = { startedAt: epochMs(), gapMs: gapOf(behaviour.tokensPerSecond), stampTokens };
  const trouble = troubleOf(exchange);
  const upTo = Math.min(trouble?.after ?? reply.tokens.length, reply.tokens.length);
  let sent = 0;
  for (const { afterTokens, opened } of behaviour.gates ?? []) {
    const gate = Math.min(afterTokens, upTo);
    await sendTokens(exchange, reply, sent, gate, clock);
    await unlessGone(opened, signal);
    sent = gate;
  }
  await sendTokens(exchange, reply, sent, upTo, clock);
  if (trouble?.kind === 'silent') return untilGone(signal);
  if (trouble?.kind === 'cut') {
    // After the flush: the tokens before the cut are to arrive.
    response.write('', () => response.destroy());
    return;
  }
  if (trouble?.kind === 'error') {
    const error = {
      message: 'The server had an error while processing your request.',
      type: 'server_error',
      code: null,
    };
    await write(exchange, `data: ${JSON.stringify({ error: { ...error, ...behaviour.error } })}\n\n`);
    response.end();
    return;
  }
  if (trouble?.kind === 'malformed') {
    await write(exchange, `data: ${behaviour.malformedChunk ?? '{"choices":[{"index":0,"del'}\n\n`);
    // Goes on as if nothing were: a reader that skips what it cannot read would take this for a clean end.
    await sendTokens(exchange, reply, upTo, reply.tokens.length, clock);
  }
  for (const delta of toolCallDeltas(reply.toolCalls)) await write(exchange, event({ tool_calls: [delta] }));
  await write(exchange, endOf(exchange, reply, event));
  if (isUsageWanted(exchange.call.body)) reportUsage(exchange, reply);
  response.end();
}

interface TokenClock {
  readonly startedAt: number;
  readonly gapMs: number;
  readonly stampTokens: boolean;
}

/** Sends each token at its time, measured from the start: a late timer sends what was due meanwhile, it does not shift the rest. */
async function sendTokens(
  exchange: Exchange,
  reply: Reply,
  from: number,
  to: number,
  clock: TokenClock,
): Promise<void> {
  const event = eventsOf(reply);
  let next = from;
  while (next < to && !exchange.signal.aborted) {
    const due = clock.gapMs === 0 ? to : Math.floor((epochMs() - clock.startedAt) / clock.gapMs) + 1;
    const end = Math.min(to, due);
    let text = '';
    for (let index = next; index < end; index++) {
      const stamp = `${(clock.startedAt + index * clock.gapMs).toFixed(1)} `;
      text += event({ content: clock.stampTokens ? stamp : reply.tokens[index] });
    }
    if (text !== '') await write(exchange, text);
    exchange.journal.sent(exchange.call, Math.max(0, end - next));
    next = Math.max(next, end);
    if (next < to) await pause(Math.max(1, clock.startedAt + next * clock.gapMs - epochMs()), exchange.signal);
  }
}

function gapOf(tokensPerSecond: number | undefined): number {
  return tokensPerSecond === undefined || tokensPerSecond <= 0 ? 0 : 1000 / tokensPerSecond;
}

interface Trouble {
  readonly kind: 'cut' | 'silent' | 'malformed' | 'error';
  readonly after: number;
}

function troubleOf({ behaviour }: Exchange): Trouble | null {
  const troubles: readonly (readonly [Trouble['kind'], number | undefined])[] = [
    ['cut', behaviour.cutAfter],
    ['silent', behaviour.silentAfter],
    ['malformed', behaviour.malformedAfter],
    ['error', behaviour.errorAfter],
  ];
  for (const [kind, after] of troubles) if (after !== undefined) return { kind, after };
  return null;
}

type MakeEvent = (delta: Record<string, unknown>, finishReason?: string | null) => string;

/** The envelope is the same for all chunks of a reply: only the delta is serialised for each. */
function eventsOf(reply: Reply): MakeEvent {
  const head = `data: {"id":"${reply.id}","object":"chat.completion.chunk","created":${Math.floor(Date.now() / 1000)},"model":${JSON.stringify(reply.model)},"choices":`;
  return (delta, finishReason = null) =>
    `${head}[{"index":0,"delta":${JSON.stringify(delta)},"logprobs":null,"finish_reason":${JSON.stringify(finishReason)}}]}\n\n`;
}

function endOf({ call, behaviour }: Exchange, reply: Reply, event: MakeEvent): string {
  const finish = reply.finishReason === null ? '' : event({}, reply.finishReason);
  const wanted = isUsageWanted(call.body) && reply.usage !== null;
  const chunk = { id: reply.id, object: 'chat.completion.chunk', model: reply.model, choices: [], usage: reply.usage };
  const usage = wanted ? `data: ${JSON.stringify(chunk)}\n\n` : '';
  return `${finish}${usage}${behaviour.doneMark === false ? '' : 'data: [DONE]\n\n'}`;
}

function isUsageWanted(body: unknown): boolean {
  // refuseChat has let it pass: an object.
  const { stream_options: options } = body as { stream_options?: { include_usage?: boolean } };
  return options?.include_usage === true;
}

/** Keeps what the caller was told, to compare it with what he has recorded. */
export function reportUsage({ journal, call }: Exchange, { usage }: Reply): void {
  if (usage === null) return;
  journal.report(call, { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens });
}
