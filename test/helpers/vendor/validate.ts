/** What OpenAI would answer 400 to, loosely; null when the request is fine. */
export interface Refusal {
  readonly message: string;
  readonly param: string | null;
  readonly code?: string;
}

const roles = new Set(['system', 'developer', 'user', 'assistant', 'tool']);
const partTypes = new Set(['text', 'image_url', 'input_audio', 'file', 'refusal']);
const efforts = new Set(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']);
const MAX_INPUTS = 2048;

export function refuseChat(body: unknown): Refusal | null {
  if (!isRecord(body)) return { message: 'We could not parse the JSON body of your request.', param: null };
  if (typeof body['model'] !== 'string' || body['model'] === '') return missing('model');
  const messages = body['messages'];
  if (!Array.isArray(messages)) return missing('messages');
  if (messages.length === 0) return invalid('messages', 'expected an array with at least 1 element');
  for (const [index, message] of messages.entries()) {
    const refusal = refuseMessage(message, `messages[${index}]`);
    if (refusal !== null) return refusal;
  }
  const ofTools = refuseTools(body) ?? refuseUnanswered(messages);
  if (ofTools !== null) return ofTools;
  if (body['stream_options'] !== undefined && body['stream'] !== true) {
    return invalid('stream_options', 'only allowed when stream is enabled');
  }
  const format = body['response_format'];
  if (format !== undefined && !(isRecord(format) && typeof format['type'] === 'string')) {
    return invalid('response_format', 'expected an object with a type');
  }
  if (isRecord(format) && format['type'] === 'json_schema') {
    const named = isRecord(format['json_schema']) && typeof format['json_schema']['name'] === 'string';
    if (!named) return missing('response_format.json_schema.name');
  }
  const effort = body['reasoning_effort'];
  if (effort !== undefined && !efforts.has(String(effort))) {
    return invalid('reasoning_effort', `expected one of ${[...efforts].join(', ')}, got ${String(effort)}`);
  }
  return (
    refuseNumber(body, 'temperature', 0, 2) ??
    refuseNumber(body, 'top_p', 0, 1) ??
    refuseNumber(body, 'max_tokens', 1, Number.MAX_SAFE_INTEGER) ??
    refuseNumber(body, 'max_completion_tokens', 1, Number.MAX_SAFE_INTEGER)
  );
}

export function refuseEmbeddings(body: unknown): Refusal | null {
  if (!isRecord(body)) return { message: 'We could not parse the JSON body of your request.', param: null };
  if (typeof body['model'] !== 'string' || body['model'] === '') return missing('model');
  const input = body['input'];
  const texts: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (texts.length === 0 || texts.length > MAX_INPUTS) {
    return invalid('input', `expected 1 to ${MAX_INPUTS} texts, got ${texts.length}`);
  }
  if (texts.some((text) => typeof text !== 'string' || text === ''))
    return invalid('input', 'cannot be an empty string');
  const format = body['encoding_format'];
  if (format !== undefined && format !== 'float' && format !== 'base64') {
    return invalid('encoding_format', `expected float or base64, got ${String(format)}`);
  }
  return refuseNumber(body, 'dimensions', 1, 3072);
}

function refuseMessage(message: unknown, path: string): Refusal | null {
  if (!isRecord(message)) return invalid(path, 'expected an object');
  const { role, content } = message;
  if (typeof role !== 'string' || !roles.has(role)) {
    return invalid(`${path}.role`, `expected one of ${[...roles].join(', ')}, got ${String(role)}`);
  }
  if (role === 'tool' && typeof message['tool_call_id'] !== 'string') return missing(`${path}.tool_call_id`);
  if (typeof content === 'string') return null;
  if (role === 'assistant' && content === null) return null;
  if (!Array.isArray(content)) return invalid(`${path}.content`, 'expected a string or an array of parts');
  for (const [index, part] of content.entries()) {
    const type: unknown = isRecord(part) ? part['type'] : undefined;
    if (typeof type !== 'string' || !partTypes.has(type) || !isRecord(part) || part[type] === undefined) {
      return invalid(`${path}.content[${index}]`, `expected one of ${[...partTypes].join(', ')}, got ${String(type)}`);
    }
    if (type !== 'text' && role !== 'user') return invalid(`${path}.content[${index}]`, `${type} is for user messages`);
  }
  return null;
}

function refuseTools({ tools, tool_choice: choice }: Record<string, unknown>): Refusal | null {
  if (tools === undefined) return choice === undefined ? null : invalid('tool_choice', 'only allowed with tools');
  if (!Array.isArray(tools) || tools.length === 0) return invalid('tools', 'expected an array with at least 1 element');
  for (const [index, tool] of tools.entries()) {
    const called: unknown = isRecord(tool) && tool['type'] === 'function' ? tool['function'] : undefined;
    const name: unknown = isRecord(called) ? called['name'] : undefined;
    if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
      return invalid(`tools[${index}].function.name`, `does not match '^[a-zA-Z0-9_-]{1,64}$': ${String(name)}`);
    }
  }
  if (choice === undefined || ['auto', 'none', 'required'].includes(String(choice))) return null;
  const named = isRecord(choice) && isRecord(choice['function']) ? choice['function']['name'] : undefined;
  const isThere = tools.some((tool) => tool.function.name === named);
  return isThere ? null : invalid('tool_choice', `expected a tool of the request, got ${JSON.stringify(choice)}`);
}

/** Each call of an assistant is answered by one tool message before anything else is said. */
function refuseUnanswered(messages: readonly Record<string, unknown>[]): Refusal | null {
  let open = new Set<unknown>();
  for (const [index, { role, tool_calls: calls, tool_call_id: id }] of messages.entries()) {
    if (role === 'tool') {
      if (!open.delete(id)) {
        return invalid(
          `messages[${index}]`,
          "messages with role 'tool' must be a response to a preceding message with 'tool_calls'",
        );
      }
      continue;
    }
    if (open.size > 0) return unanswered(open);
    open = new Set(Array.isArray(calls) ? calls.map((call) => (isRecord(call) ? call['id'] : call)) : []);
  }
  return open.size > 0 ? unanswered(open) : null;
}

const unanswered = (open: ReadonlySet<unknown>): Refusal => ({
  message: `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...open].join(', ')}`,
  param: 'messages',
});

function refuseNumber(body: Record<string, unknown>, name: string, least: number, most: number): Refusal | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && value >= least && value <= most) return null;
  return invalid(name, `expected a number from ${least} to ${most}, got ${JSON.stringify(value)}`);
}

function missing(param: string): Refusal {
  return { message: `Missing required parameter: '${param}'.`, param };
}

function invalid(param: string, what: string): Refusal {
  return { message: `Invalid '${param}': ${what}.`, param };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
