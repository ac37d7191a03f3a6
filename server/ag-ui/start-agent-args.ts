import type { StartAgent } from '../../core/agents/start-agent.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { startAgentRequest } from '../../resolvers/agents.ts';
import type { StartChatArgs } from '../../resolvers/chat.ts';
import type { AgentProps } from './forwarded-props.ts';

/** What an agent is told of a request beside its goal; everything else belongs to a chat. */
const taken = ['retrieval', 'responseSchema', 'clientTools', 'whenUnwatched', 'user', 'metadata', 'message', 'history'];

/**
 * A RunAgentInput whose forwardedProps name an agent: the last user message is its goal, and what was said before it is understood
 * from the messages. `chat` is the same input as that of a chat.
 */
export function startAgentArgs({ agent, limits }: AgentProps, chat: StartChatArgs): StartAgent | null {
  if (agent == null) {
    if (limits == null) return null;
    throw new GatewayError(
      'BAD_INPUT',
      'forwardedProps.limits bounds an agent: it needs forwardedProps.agent, got none.',
    );
  }
  const foreign = Object.entries(chat).flatMap(([name, value]) => {
    const isLeftOut = value == null || (Array.isArray(value) && value.length === 0);
    return taken.includes(name) || isLeftOut ? [] : [name];
  });
  if (foreign.length > 0) {
    throw new GatewayError('BAD_INPUT', `an agent takes no ${foreign.join(', ')}: leave it out, or start a chat.`);
  }
  const { message, history, retrieval, responseSchema, clientTools, whenUnwatched, user, metadata } = chat;
  const said = (history ?? []).flatMap(({ role, text }) =>
    (role === 'USER' || role === 'ASSISTANT') && text !== '' ? [{ role, text }] : [],
  );
  const given = { retrieval, responseSchema, clientTools, whenUnwatched, user, metadata, limits };
  return { ...startAgentRequest({ agent, goal: message ?? '', ...given }), history: said };
}
