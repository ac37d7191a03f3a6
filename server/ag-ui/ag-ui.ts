import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../../core/access/caller.ts';
import { assertOneOf, type ScopeHolder } from '../../core/access/scopes.ts';
import { startAgent } from '../../core/agents/start-agent.ts';
import { startChat } from '../../core/chat/start-chat.ts';
import type { RunKey } from '../../core/contracts/event-log.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { RunRecord } from '../../core/contracts/run-store.ts';
import { decodeRunCursor, encodeRunCursor } from '../../core/pagination.ts';
import { runNotFound } from '../../core/runs/run-error.ts';
import type { Services } from '../../core/services.ts';
import { chatInput } from '../../resolvers/chat.ts';
import type { ServerContext } from '../app.ts';
import type { ToClientError } from '../client-errors.ts';
import { answersIn } from './answers.ts';
import { continueRun } from './continued-run.ts';
import { EventStream } from './event-stream.ts';
import { refuseRun } from './refuse.ts';
import { parseRunAgentInput, type RunAgentInput } from './run-agent-input.ts';
import { stableRunId } from './stable-run-id.ts';
import { startAgentArgs } from './start-agent-args.ts';
import { startChatArgs } from './start-chat-args.ts';
import { translatedRun } from './translated-run.ts';
import type { TranslatedRun } from './translation.ts';

export const agUiPath = '/ag-ui';

/** A request whose origin, caller and size are settled. */
export interface AgUiRequest {
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export type AgUi = (request: AgUiRequest, response: ServerResponse, context: ServerContext) => Promise<void>;

/**
 * A run for clients of AG-UI: one POST starts it, or finds it again by its id, and its answer is the run's events. What is
 * wrong before the first event is an HTTP error, what is wrong afterwards is RUN_ERROR.
 */
export function createAgUi(services: Services, toClientError: ToClientError): AgUi {
  return async (request, response, { principal, ended }) => {
    const closed = new AbortController();
    response.once('close', () => closed.abort());
    // A key that ends is told on the stream, which is open still.
    const until = ended === null ? closed.signal : AbortSignal.any([closed.signal, ended]);
    try {
      assertOneOf(principal, ['CHAT', 'AGENT']);
      await services.admit(principal);
      const input = parseRunAgentInput(bodyOf(request));
      const answers = answersIn(input);
      const { tenant } = principal;
      const newRunId = stableRunId(tenant, input.threadId, input.runId);
      // From before the start, or the answer, so that the run never finds itself unwatched.
      using _watching = services.runs.watch({ tenant, runId: answers?.runId ?? newRunId });
      const continued = answers === null ? null : await continueRun(services, principal, answers, until);
      const key = { tenant, runId: continued?.run.runId ?? newRunId };
      using _watchingToo = services.runs.watch(key);
      const from = Math.max(continued?.after ?? 0, resumedAfter(key, request.headers));
      // Nothing is begun for a client that has left: one that comes back begins it itself.
      closed.signal.throwIfAborted();
      const run = continued?.run ?? (await startOrFind(services, principal, key.runId, input, from));
      closed.signal.throwIfAborted();
      using stream = new EventStream(response, encodeRunCursor(key, from), closed.signal);
      const known = knownAs(input, run, continued?.after ?? 0);
      try {
        for await (const { seq, events } of translatedRun(services, run, known, from, until)) {
          await stream.send(events, encodeRunCursor(key, seq));
        }
      } catch (error) {
        if (closed.signal.aborted) return;
        const { message, extensions } = toClientError(error);
        await stream.send([{ type: 'RUN_ERROR', message, code: String(extensions['code']) }]);
      }
    } catch (error) {
      if (closed.signal.aborted) return;
      refuseRun(response, toClientError(error));
    }
  };
}

function bodyOf({ headers, body }: AgUiRequest): Buffer {
  const type = headers['content-type'] ?? '';
  if (/^application\/json\s*(?:;|$)/i.test(type)) return body;
  throw new GatewayError('BAD_INPUT', `content-type must be application/json, got "${type.slice(0, 100)}".`);
}

/** The position behind the last event that the client has seen; 0: from the beginning. */
function resumedAfter(key: RunKey, headers: AgUiRequest['headers']): number {
  const id = headers['last-event-id'];
  return typeof id !== 'string' || id === '' ? 0 : decodeRunCursor(key, id, 'Last-Event-ID');
}

async function startOrFind(
  services: Services,
  caller: Caller & ScopeHolder,
  runId: string,
  input: RunAgentInput,
  from: number,
): Promise<RunRecord> {
  assertOneOf(caller, [input.forwardedProps?.agent == null ? 'CHAT' : 'AGENT']);
  const chat = startChatArgs(input);
  const agent = startAgentArgs(input.forwardedProps ?? {}, chat);
  // A run that is gone, resumed, would begin anew and tell its text from the middle on.
  if (from > 0 && (await services.runs.find({ tenant: caller.tenant, runId })) === null) throw runNotFound(runId);
  return agent === null
    ? startChat(services, caller, runId, chatInput(chat))
    : startAgent(services, caller, runId, agent);
}

function knownAs(
  { threadId, runId, protocolVersion, messages }: RunAgentInput,
  run: RunRecord,
  continuesAfter: number,
): TranslatedRun {
  const version = /^\d+\.\d+$/.test(protocolVersion ?? '') ? Number.parseInt(protocolVersion ?? '', 10) : 0;
  return {
    threadId,
    runId,
    graphRunId: run.runId,
    protocolVersion: version >= 1 ? (protocolVersion ?? null) : null,
    messages,
    continuesAfter,
  };
}
