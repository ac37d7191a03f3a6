import { GatewayError } from '../../contracts/gateway-error.ts';
import type { Completion } from '../../contracts/model-provider.ts';
import type { ModelRequest, PoolChunk } from '../models.ts';
import { withAttempts } from '../routes/all-failed.ts';
import type { Attempts, Routed, Router } from '../routes/router.ts';
import { concernsEveryTarget } from '../routes/try-targets.ts';
import type { Answer, OpenStream, Try } from '../targets/provider-call.ts';
import type { Target } from '../targets/target.ts';
import { StreamSpend, wordsOf } from '../usage/token-estimate.ts';
import { cancelled } from './call-bounds.ts';

/** A request on its way: where it goes, and what bounds and counts it. */
export interface ChatCall extends Routed {
  readonly request: ModelRequest;
}

/**
 * One generation, streamed. Once the first chunk has come it costs something, so the job hears of it whatever the end: the
 * provider's count, or an estimate of what came when it sent none, the stream broke, or the reader left. `begin` is called when
 * the first chunk is asked for, so that a stream nobody reads costs nothing.
 *
 * Where the route allows it, a stream that breaks in its middle is begun again by another of its targets, each at most once.
 */
export async function* streamChat(router: Router, begin: () => ChatCall): AsyncGenerator<PoolChunk, void, undefined> {
  const chat = begin();
  const { job, input, plan } = chat;
  using _bounds = job.bounds;
  const open: Attempts<Answer<OpenStream>> = {
    make: (target, how) => opened(chat, target, how),
    discard({ value, end }) {
      const spend = new StreamSpend();
      spend.see(value.first);
      value.close();
      end(
        spend.used(() => input.count),
        cancelled(job.bounds.label, 'another call was faster'),
      );
    },
  };
  let answered = await router.answer(chat, open);
  for (;;) {
    const { target, others, value: answer } = answered;
    const { value: stream } = answer;
    const spend = new StreamSpend();
    let failure: { readonly error: unknown } | null = null;
    let isWhole = false;
    try {
      let chunk: OpenStream['first'] | undefined = stream.first;
      spend.see(chunk);
      yield { type: 'model', name: target.entry.name, provider: target.entry.provider.name };
      while (chunk !== undefined) {
        yield chunk;
        try {
          chunk = (await stream.next()).value;
        } catch (error) {
          failure = { error };
          break;
        }
        if (chunk !== undefined) spend.see(chunk);
      }
      isWhole = failure === null;
    } finally {
      stream.close();
      const left = isWhole ? null : cancelled(target.label, 'the reader left');
      answer.end(
        spend.used(() => input.count),
        failure === null ? left : failure.error,
      );
    }
    if (failure === null) return;
    const { error } = failure;
    if (plan.route?.midStreamFallback !== true || others.length === 0 || !mayReplace(error)) {
      throw job.attempts > 1 && error instanceof GatewayError ? withAttempts(error, job.attempts) : error;
    }
    answered = await router.takeOver(chat, { from: target, error, to: others }, open);
    yield { type: 'reset', reason: `${target.label} broke off; ${answered.target.label} begins again.` };
  }
}

/** One generation in one reply. An attempt that brought no reply counts nothing: nobody knows what it used. */
export async function completeChat(router: Router, chat: ChatCall): Promise<Completion & { readonly model: string }> {
  const { job, request, input } = chat;
  using _bounds = job.bounds;
  const used = ({ tokens, text, toolCalls = [] }: Completion) => {
    const spend = new StreamSpend();
    const delta = wordsOf({ role: 'ASSISTANT', text, toolCalls });
    spend.see(tokens === null ? { type: 'text', delta } : { type: 'usage', tokens });
    return spend.used(() => input.count);
  };
  const { value: answer, target } = await router.answer<Answer<Completion>>(chat, {
    make: (target, how) => {
      const work = { ...request, model: target.entry.name };
      return target.run(
        job,
        how,
        (provider, signal, hear, bound) => provider.complete({ ...work, ...bound }, signal, hear),
        false,
      );
    },
    discard: ({ value, end }) => end(used(value), null),
  });
  const { value: completion } = answer;
  answer.end(used(completion), null);
  return { ...completion, model: target.entry.name };
}

function opened({ job, request }: ChatCall, target: Target, how: Try): Promise<Answer<OpenStream>> {
  const asked = { ...request, model: target.entry.name };
  return target.open(job, how, (provider, signal, hear, bound) => provider.chat({ ...asked, ...bound }, signal, hear));
}

function mayReplace(error: unknown): error is GatewayError {
  return error instanceof GatewayError && !concernsEveryTarget(error);
}
