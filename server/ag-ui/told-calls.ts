import type { AwaitedCall } from '../../core/contracts/parked-runs.ts';
import type { RunEvent } from '../../core/contracts/run-event.ts';
import { writeCallId } from './call-ids.ts';
import type { AgUiEvent, SnapshotMessage } from './events.ts';

type CallEvent = Extract<
  RunEvent,
  { type: 'ToolCallStarted' | 'ToolCallArgumentsDelta' | 'ToolCallEnded' | 'ToolCallResult' }
>;

interface ToldCall {
  readonly tool: string;
  readonly started: AgUiEvent;
  arguments: string;
  isOpen: boolean;
  result: string | null;
}

/** The tool calls of a run as its client knows them: each is an assistant message of its own, and its result the tool message behind it. */
export class ToldCalls {
  readonly #runId: string;
  readonly #held: ReadonlySet<string>;
  readonly #answered: ReadonlySet<string>;
  /** By the id on the wire, in the order in which they began. */
  readonly #calls = new Map<string, ToldCall>();

  /** `messages`: what the client has. Calls that stand there, and results that it has sent itself, it must not be told again. */
  constructor(runId: string, messages: readonly SnapshotMessage[]) {
    this.#runId = runId;
    this.#held = new Set(messages.flatMap(callsIn));
    this.#answered = new Set(messages.flatMap(({ role, toolCallId }) => (role === 'tool' ? String(toolCallId) : [])));
  }

  /** Calls without a result. */
  get unanswered(): readonly string[] {
    return [...this.#calls].filter(([, { result }]) => result === null).map(([id]) => id);
  }

  /** A call whose beginning was missed is not known to the client: nothing is said of it. */
  take(event: CallEvent): AgUiEvent[] {
    const toolCallId = writeCallId({ runId: this.#runId, callId: event.toolCallId });
    if (event.type === 'ToolCallStarted') {
      const { tool, step = null } = event;
      const started: AgUiEvent = {
        ...{ type: 'TOOL_CALL_START', toolCallId, toolCallName: tool },
        metadata: { sluice: { step } },
      };
      this.#calls.set(toolCallId, { tool, started, arguments: '', isOpen: true, result: null });
      return [started];
    }
    const call = this.#calls.get(toolCallId);
    if (call === undefined) return [];
    switch (event.type) {
      case 'ToolCallArgumentsDelta':
        call.arguments += event.delta;
        return [{ type: 'TOOL_CALL_ARGS', toolCallId, delta: event.delta }];
      case 'ToolCallEnded': {
        call.isOpen = false;
        // A model that has nothing to say may write nothing, and clients parse what they are given.
        const written = call.arguments === '' ? JSON.stringify(event.arguments ?? {}) : '';
        call.arguments += written;
        return [
          ...(written === '' ? [] : [{ type: 'TOOL_CALL_ARGS' as const, toolCallId, delta: written }]),
          { type: 'TOOL_CALL_END', toolCallId },
        ];
      }
      case 'ToolCallResult': {
        const { result, toolStatus } = event;
        call.result = typeof result === 'string' ? result : JSON.stringify(result);
        if (this.#answered.has(toolCallId)) return this.#close(toolCallId, call);
        return [
          ...this.#close(toolCallId, call),
          {
            ...{ type: 'TOOL_CALL_RESULT', messageId: resultId(toolCallId), toolCallId, role: 'tool' },
            ...{ content: call.result, metadata: { sluice: { toolStatus } } },
          },
        ];
      }
    }
  }

  /** A call that the client is to answer, where the events that told it are lost. */
  tell({ callId, tool, arguments: args }: Pick<AwaitedCall, 'callId' | 'tool' | 'arguments'>): AgUiEvent[] {
    const id = writeCallId({ runId: this.#runId, callId });
    if (this.#calls.has(id) || this.#held.has(id)) return [];
    return [
      ...this.take({ type: 'ToolCallStarted', toolCallId: callId, tool }),
      ...this.take({ type: 'ToolCallEnded', toolCallId: callId, arguments: args }),
    ];
  }

  /** What a stream that goes on must open again. */
  opened(): AgUiEvent[] {
    return [...this.#calls.values()].filter(({ isOpen }) => isOpen).map(({ started }) => started);
  }

  close(): AgUiEvent[] {
    return [...this.#calls].flatMap(([id, call]) => this.#close(id, call));
  }

  messages(): readonly SnapshotMessage[] {
    return [...this.#calls].flatMap(([id, { tool, arguments: args, result }]): SnapshotMessage[] => [
      { id, role: 'assistant', toolCalls: [{ id, type: 'function', function: { name: tool, arguments: args } }] },
      ...(result === null || this.#answered.has(id)
        ? []
        : [{ id: resultId(id), role: 'tool', toolCallId: id, content: result }]),
    ]);
  }

  #close(toolCallId: string, call: ToldCall): AgUiEvent[] {
    if (!call.isOpen) return [];
    call.isOpen = false;
    return [{ type: 'TOOL_CALL_END', toolCallId }];
  }
}

function callsIn({ toolCalls }: SnapshotMessage): string[] {
  return Array.isArray(toolCalls) ? toolCalls.map(({ id }) => String(id)) : [];
}

/** Of the tool message with the result of a call. */
export const resultId = (toolCallId: string): string => `${toolCallId}-result`;
