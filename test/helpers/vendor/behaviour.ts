import type { VendorCall } from './journal.ts';

/** A chat request as it came over the wire, already checked. */
export interface WireChat {
  readonly model: string;
  readonly messages: readonly WireMessage[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly stop?: string | readonly string[];
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly tools?: readonly { readonly function: { readonly name: string; readonly parameters?: unknown } }[];
  readonly tool_choice?: 'auto' | 'none' | 'required' | { readonly function: { readonly name: string } };
  readonly response_format?: { readonly type: string; readonly json_schema?: { readonly schema?: unknown } };
}

export interface WireMessage {
  readonly role: string;
  /** Null: an assistant that only asked for tools. */
  readonly content: string | readonly { readonly type: string; readonly text?: string }[] | null;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly function: { readonly name: string; readonly arguments: string };
  }[];
  readonly tool_call_id?: string;
}

/** A tool that the vendor asks for. */
export interface AskedTool {
  /** Left out: one of its own, never the same twice. */
  readonly id?: string;
  readonly name: string;
  /** A text goes over the wire as it is, JSON or not. */
  readonly arguments: string | Readonly<Record<string, unknown>>;
}

/**
 * How the vendor treats one request. Everything is optional and combines; N counts tokens of text. What is left out comes
 * from the vendor's own defaults.
 */
export interface Behaviour {
  /** Nothing at all is answered before this settles: a gate that a test opens. */
  readonly hold?: Promise<unknown>;
  /** Before the headers. */
  readonly latencyMs?: number;
  /** Between the headers and the first token. */
  readonly firstTokenMs?: number;
  /** Stops of a stream: after so many tokens nothing more is sent until a test opens the gate. In order. */
  readonly gates?: readonly { readonly afterTokens: number; readonly opened: Promise<unknown> }[];
  /** 0: as fast as the socket takes them. */
  readonly tokensPerSecond?: number;
  /** The text of the reply. */
  readonly reply?: string | ((request: WireChat, call: VendorCall) => string);
  /**
   * Asked for behind the text, which is empty then unless `reply` says otherwise; an empty list: none. Left out: what
   * `tool_choice` forces, with the smallest arguments that satisfy its parameters.
   */
  readonly toolCalls?: readonly AskedTool[] | ((request: WireChat, call: VendorCall) => readonly AskedTool[]);
  /** Sent as reasoning before the text. */
  readonly reasoning?: string;
  /** The delta's field for it; DeepSeek's by default, OpenRouter's is `reasoning`. */
  readonly reasoningField?: 'reasoning_content' | 'reasoning';
  /** Cuts the wire into pieces of so many bytes, to split characters and events. */
  readonly splitBytes?: number;

  /** Answers this status with an error body, instead of a reply. */
  readonly status?: number;
  /** The error of `status`, or of `errorAfter`. */
  readonly error?: {
    readonly message?: string;
    readonly code?: string | number | null;
    readonly type?: string;
  };
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole body, as it is; status 200 unless `status` says otherwise. */
  readonly rawBody?: string;
  readonly contentType?: string;

  /** Destroys the socket after N tokens; without a stream, in the middle of the body. */
  readonly cutAfter?: number;
  /** Says nothing more after N tokens, and leaves the socket open; without a stream, never answers. */
  readonly silentAfter?: number;
  readonly malformedAfter?: number;
  /** What stands in the malformed event; broken JSON by default. */
  readonly malformedChunk?: string;
  /** Sends an error object in the stream after N tokens, and closes. */
  readonly errorAfter?: number;

  /** Null: none is sent. */
  readonly finishReason?: string | null;
  /** False: no usage, though it was asked for. */
  readonly usage?: boolean;
  readonly cachedTokens?: number;
  /** False: the stream ends without `[DONE]`. */
  readonly doneMark?: boolean;
  /** Changes the list of embeddings before it is sent: drop one, turn them round, shorten one. */
  readonly embeddings?: (data: readonly WireEmbedding[]) => readonly unknown[];
}

export interface WireEmbedding {
  readonly object: 'embedding';
  readonly index: number;
  readonly embedding: string | readonly number[];
}

interface Rule {
  readonly matches: (call: VendorCall) => boolean;
  readonly behaviour: Behaviour;
}

/** Which request meets which behaviour: first what is queued for its path, then the newest rule that matches. */
export class BehaviourPlan {
  readonly #queues = new Map<string, Behaviour[]>();
  readonly #rules: Rule[] = [];

  /** For the next request of this path only; several queue up. */
  queue(path: string, behaviours: readonly Behaviour[]): void {
    const queue = this.#queues.get(path) ?? [];
    queue.push(...behaviours);
    this.#queues.set(path, queue);
  }

  /** For every matching request, until the returned function is called. */
  rule(matches: Rule['matches'], behaviour: Behaviour): () => void {
    const rule = { matches, behaviour };
    this.#rules.unshift(rule);
    return () => {
      const index = this.#rules.indexOf(rule);
      if (index >= 0) this.#rules.splice(index, 1);
    };
  }

  of(call: VendorCall): Behaviour {
    const queued = this.#queues.get(call.path)?.shift();
    return queued ?? this.#rules.find((rule) => rule.matches(call))?.behaviour ?? {};
  }
}
