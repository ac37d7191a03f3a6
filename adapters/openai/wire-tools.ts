import type { ChatRequest, ToolCallRequest, ToolChoice } from '../../core/contracts/model-provider.ts';

/** The part of the body of POST /chat/completions that is about tools; nothing when none are offered. */
export function wireTools({ tools, toolChoice }: Pick<ChatRequest, 'tools' | 'toolChoice'>): Record<string, unknown> {
  if (tools === undefined || tools.length === 0) return {};
  return {
    tools: tools.map(({ name, description, parameters }) => ({
      type: 'function',
      function: { name, description, parameters },
    })),
    ...(toolChoice === undefined ? {} : { tool_choice: wireChoice(toolChoice) }),
  };
}

function wireChoice(choice: ToolChoice): unknown {
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.tool } };
}

export function wireToolCall({ id, tool, arguments: args }: ToolCallRequest) {
  return { id, type: 'function', function: { name: tool, arguments: isJson(args) ? args : '{}' } };
}

/** What a model wrote need not be JSON; servers that parse it again refuse the whole request then. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
