import type { FinishReason } from '../../contracts/model-provider.ts';
import type { CallOptions, ModelRequest, Models, PoolChunk } from '../../models/models.ts';
import type { Turn } from './turn.ts';
import type { WrittenCalls } from './written-calls.ts';

/** Streams one turn of a loop; `hear` is given every chunk but those of tool calls, which `calls` takes. */
export async function streamTurn(
  models: Pick<Models, 'chat'>,
  request: ModelRequest,
  call: CallOptions,
  calls: WrittenCalls,
  hear: (chunk: PoolChunk) => void = () => {},
): Promise<Omit<Turn, 'said'>> {
  let text = '';
  let model = request.model ?? '';
  let finishReason: FinishReason = 'STOP';
  for await (const chunk of models.chat(request, call)) {
    switch (chunk.type) {
      case 'tool-call':
      case 'tool-arguments':
        calls.take(chunk);
        continue;
      case 'text':
        text += chunk.delta;
        break;
      case 'finish':
        finishReason = chunk.reason;
        break;
      case 'model':
        model = chunk.name;
        break;
      case 'reset':
        text = '';
        calls.drop();
        break;
      case 'reasoning':
      case 'usage':
        break;
    }
    hear(chunk);
  }
  return { text: text.toWellFormed(), toolCalls: calls.all, finishReason, model };
}
