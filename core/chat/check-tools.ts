import { GatewayError } from '../contracts/gateway-error.ts';
import type { ChatModel } from '../models/models.ts';
import { assertStorable } from '../text/normalise.ts';
import { assertStorableJson } from '../text/storable-json.ts';
import { checkClientTools } from '../tools/client-tools.ts';
import { type Toolbox, toolName } from '../tools/toolbox.ts';
import type { ChatInput, HistoryMessage } from './chat-input.ts';

const bounds = { maxChars: 100_000, maxDepth: 50 };

/** BAD_INPUT for tools that there are not, or that such a run cannot use. Whether parameters are a schema takes a thread. */
export function checkTools(input: ChatInput, toolbox: Pick<Toolbox, 'named'>, model: ChatModel): void {
  const { tools, clientTools, toolChoice, store } = input;
  const given = toolbox.named(tools);
  const approved = given.find(({ requiresApproval }) => requiresApproval);
  if (!store && approved !== undefined) {
    throw bad(
      `store must be true for the tool ${approved.name}: its calls need an approval, and only a stored run can wait for one.`,
    );
  }
  const names = checkClientTools(clientTools, given);
  if (names.size > 0 && !model.generative) {
    throw bad(
      `tools need a generative model; ${model.name} of provider ${model.provider} cannot call any. Leave them out, or configure a provider.`,
    );
  }
  checkChoice(toolChoice, names);
}

function checkChoice(toolChoice: ChatInput['toolChoice'], names: ReadonlySet<string>): void {
  if (toolChoice === null || toolChoice === 'auto' || toolChoice === 'none') return;
  if (names.size === 0) throw bad('toolChoice needs tools or clientTools; got neither.');
  if (toolChoice === 'required' || names.has(toolChoice.tool)) return;
  throw bad(
    `toolChoice must be auto, none, required or one of ${[...names].join(', ')}, got ${JSON.stringify(toolChoice.tool.slice(0, 80))}.`,
  );
}

/** Calls stand in ASSISTANT messages, and each result answers one of the message before it. */
export function checkHistoryTools(history: readonly HistoryMessage[]): void {
  let open = new Set<string>();
  for (const [index, { role, toolCalls, toolCallId }] of history.entries()) {
    const at = `history[${index}]`;
    if (role === 'TOOL') {
      if (toolCallId === undefined)
        throw bad(`${at}.toolCallId must name the call that this TOOL message answers, got none.`);
      if (!open.delete(toolCallId))
        throw bad(
          `${at}.toolCallId must be an unanswered call of the ASSISTANT message before it, got ${JSON.stringify(toolCallId.slice(0, 100))}.`,
        );
      continue;
    }
    if (toolCallId !== undefined) throw bad(`${at}.toolCallId must be on a TOOL message, got ${role}.`);
    if (toolCalls !== undefined && role !== 'ASSISTANT')
      throw bad(`${at}.toolCalls must be on an ASSISTANT message, got ${role}.`);
    open = new Set();
    for (const [position, { id, tool, arguments: args }] of (toolCalls ?? []).entries()) {
      const call = `${at}.toolCalls[${position}]`;
      if (id === '' || id.length > 200 || open.has(id))
        throw bad(
          `${call}.id must be unique in its message, of 1–200 characters, got ${JSON.stringify(id.slice(0, 100))}.`,
        );
      if (!toolName.test(tool))
        throw bad(
          `${call}.tool must be [A-Za-z0-9_-], at most 64 characters, got ${JSON.stringify(tool.slice(0, 80))}.`,
        );
      assertStorable(id, `${call}.id`);
      assertStorableJson(JSON.parse(args), `${call}.arguments`, bounds);
      open.add(id);
    }
  }
}

const bad = (message: string): GatewayError => new GatewayError('BAD_INPUT', message);
