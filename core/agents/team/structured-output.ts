import type { Json } from '../../contracts/filter.ts';
import { GatewayError } from '../../contracts/gateway-error.ts';
import type { ChatMessage } from '../../contracts/model-provider.ts';
import { fenceRules } from '../../text/fence.ts';
import { guardJson } from '../../text/link-guard.ts';
import type { AgentMember } from '../agent.ts';
import { linksOfWork } from '../links-of-work.ts';
import { once } from '../steps/keep.ts';
import { callOf, stepMeter, type Work } from '../work.ts';
import { budgetedOutput } from './prompts.ts';

/**
 * The value that `responseSchema` asks for, from what the output rests on: a call of its own beside the text, so that the text can
 * cite and the value need not. One attempt to repair it, then a clear failure. Null: none was asked for, or a limit came
 * first.
 */
export async function structuredOutput(work: Work, member: AgentMember, facts: string): Promise<Json> {
  const { input, services, io, budget, signal } = work;
  const schema = input.responseSchema;
  if (schema === null || budget.isSpent) return null;
  const links = linksOfWork(work, []);
  links.know(facts);
  return once(io, 'object', async () => {
    let messages: readonly ChatMessage[] = [
      {
        role: 'SYSTEM',
        text: `Reply with JSON only, which satisfies the schema you were given. Use only what you are told. ${fenceRules}`,
      },
      { role: 'USER', text: `The goal: ${input.goal}\n\n${facts}` },
    ];
    let faults: readonly string[] = [];
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      if (budget.isSpent) return null;
      const request = { model: member.model, messages, sources: null, temperature: 0, responseSchema: schema };
      const { text } = await services.models.complete(
        { ...request, ...budgetedOutput(work) },
        callOf(work, stepMeter(work)),
      );
      const check = await services.schemas.check(schema, text, signal);
      if (check.ok) return guardJson(check.value, links);
      faults = check.faults;
      const objection = `That is not valid: ${faults.join('; ')}. Reply again, with JSON that satisfies the schema and nothing else.`;
      messages = [...messages, { role: 'ASSISTANT', text }, { role: 'USER', text: objection }];
    }
    throw new GatewayError(
      'UPSTREAM_UNAVAILABLE',
      `The model's reply did not satisfy responseSchema, twice: ${faults.join('; ').slice(0, 1_000)}.`,
      { retryable: true, details: { attempts: 2, issues: faults } },
    );
  }).catch((error: unknown) => {
    if (io.signal.aborted || !budget.hasEnded(error)) throw error;
    return null;
  });
}

/** The object, once the text beside it has ended too, whichever fails: nothing may be said of a run that has ended. */
export async function withObject(writing: Promise<void>, object: Promise<Json>): Promise<Json> {
  const [written, made] = await Promise.allSettled([writing, object]);
  if (written.status === 'rejected') throw written.reason;
  if (made.status === 'rejected') throw made.reason;
  return made.value;
}
