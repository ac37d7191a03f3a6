import { randomUUID } from 'node:crypto';
import type { TestGateway } from '../../helpers/gateway.ts';
import type { VendorCall } from '../../helpers/vendor/journal.ts';

export interface UsageView {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly calls: number;
  readonly costUsd: number | null;
  readonly estimated: boolean;
}

export interface CitationView {
  readonly number: number;
  readonly quote: string;
  readonly title: string | null;
  readonly url: string | null;
  readonly passage: { readonly id: string; readonly text: string } | null;
}

export interface MessageView {
  readonly id: string;
  readonly parentId: string | null;
  readonly role: string;
  readonly text: string;
  readonly object: unknown;
  readonly finishReason: string | null;
  readonly model: string | null;
  readonly citations: readonly CitationView[];
  readonly attachments: readonly {
    readonly mimeType: string;
    readonly url: string | null;
    readonly bytes: number | null;
  }[];
  readonly verification: { readonly grounded: boolean; readonly unsupported: readonly string[] } | null;
  readonly usage: UsageView | null;
}

/** Any event; what a kind does not have is undefined. */
export interface EventView {
  readonly __typename: string;
  readonly seq: number;
  readonly delta?: string;
  readonly finishReason?: string;
  readonly reason?: string;
  readonly citation?: CitationView;
  readonly verification?: { readonly grounded: boolean; readonly score: number; readonly model: string };
  readonly error?: RunErrorView;
  /** Of RunFinished: what a query finds at that very moment. */
  readonly run?: { readonly status: string; readonly reply: MessageView | null };
}

export interface RunErrorView {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly details: { readonly issues?: readonly string[]; readonly attempts?: number } | null;
}

export interface RunView {
  readonly runId: string;
  readonly status: string;
  readonly user: string | null;
  readonly metadata: unknown;
  readonly usage: UsageView;
  readonly error: RunErrorView | null;
  readonly reply: MessageView | null;
  readonly conversation: { readonly id: string; readonly title: string | null; readonly user: string | null } | null;
}

/** A turn from its start to its end: its whole log, and the run as it is found afterwards. */
export interface Turn extends RunView {
  readonly events: readonly EventView[];
  readonly eventNames: readonly string[];
  /** What the deltas amount to: those before a reset are dropped. */
  readonly text: string;
  readonly cited: readonly CitationView[];
}

const usageFields = 'usage { inputTokens cachedInputTokens outputTokens calls costUsd estimated }';
const citationFields = 'number quote title url passage { id text }';
export const messageFields = `id parentId role text object finishReason model citations { ${citationFields} }
  attachments { mimeType url bytes } verification { grounded unsupported } ${usageFields}`;
const runFields = `runId status user metadata error { code message retryable details } ${usageFields}
  ... on ChatRun { reply { ${messageFields} } conversation { id title user } }`;

const subscription = `subscription ChatTurn($input: StartChatInput!) {
  chat(input: $input) {
    __typename seq
    ... on TextMessageDelta { delta }
    ... on ReasoningDelta { delta }
    ... on TextMessageEnded { finishReason }
    ... on TextMessageReset { reason }
    ... on SourceCited { citation { ${citationFields} } }
    ... on VerificationFinished { verification { grounded score model } }
    ... on RunFailed { error { code message retryable details } }
    ... on RunFinished { run { status ... on ChatRun { reply { ${messageFields} } } } }
  }
}`;

export type ChatInput = Readonly<Record<string, unknown>>;

export async function chat(gateway: TestGateway, input: ChatInput): Promise<Turn> {
  const runId = typeof input['runId'] === 'string' ? input['runId'] : randomUUID();
  const events: EventView[] = [];
  for await (const data of gateway.subscribe<{ chat: EventView }, unknown>(subscription, {
    input: { runId, ...input },
  })) {
    events.push(data.chat);
  }
  const run = await findRun(gateway, runId);
  if (run === null) throw new Error(`run ${runId} is gone`);
  const kept = events.slice(events.findLastIndex(({ __typename }) => __typename === 'TextMessageReset') + 1);
  return {
    ...run,
    events,
    eventNames: events.map(({ __typename }) => __typename),
    text: deltasOf(kept, 'TextMessageDelta'),
    cited: kept.flatMap(({ citation }) => (citation ? [citation] : [])),
  };
}

export function deltasOf(events: readonly EventView[], kind: 'TextMessageDelta' | 'ReasoningDelta'): string {
  return events.map((event) => (event.__typename === kind ? event.delta : '')).join('');
}

export async function findRun(gateway: TestGateway, runId: string): Promise<RunView | null> {
  const query = `query ChatTurnRun($runId: UUID!) { run(runId: $runId) { ${runFields} } }`;
  return (await gateway.data<{ run: RunView | null }, unknown>(query, { runId })).run;
}

/** Starts a turn and returns without waiting for its end. */
export async function startTurn(gateway: TestGateway, input: ChatInput): Promise<string> {
  const { startChat } = await gateway.data<{ startChat: { run: { runId: string } } }, unknown>(startMutation, {
    input,
  });
  return startChat.run.runId;
}

const startMutation = `mutation ChatTurnStart($input: StartChatInput!) { startChat(input: $input) { run { runId } } }`;

/** The one error of a start that is refused. */
export async function refusal(
  gateway: TestGateway,
  input: ChatInput,
): Promise<{
  readonly code: string;
  readonly message: string;
  readonly extensions: Readonly<Record<string, unknown>>;
}> {
  const result = await gateway.request<{ startChat: { run: { runId: string } } | null }, unknown>(startMutation, {
    input,
  });
  const [error] = result.errors ?? [];
  if (error === undefined) throw new Error(`the start was not refused: ${JSON.stringify(result.data)}`);
  return { code: error.extensions.code, message: error.message, extensions: error.extensions };
}

/** A chat request as it reached the vendor. */
export interface WireBody {
  readonly model: string;
  readonly stream: boolean;
  readonly messages: readonly {
    readonly role: string;
    /** Null: an assistant that only asked for tools. */
    readonly content: string | readonly Record<string, unknown>[] | null;
  }[];
  readonly response_format?: { readonly json_schema: { readonly schema: unknown } };
  readonly [field: string]: unknown;
}

export function bodyOf(call: VendorCall | undefined): WireBody {
  if (call === undefined) throw new Error('there was no such call');
  return call.body as WireBody; // the vendor has checked it
}

/** `role: text` of every message, parts joined. */
export function spoken(call: VendorCall | undefined): string[] {
  return bodyOf(call).messages.map(({ role, content }) => `${role}: ${contentText(content)}`);
}

function contentText(content: WireBody['messages'][number]['content']): string {
  if (content === null) return '';
  return typeof content === 'string' ? content : content.map((part) => part['text'] ?? `<${part['type']}>`).join(' ');
}
