/** An MCP server whose tools runs may use. */
export interface McpServerOptions {
  /** The first half of its tools' names: letters, digits and dashes, at most 24. */
  readonly name: string;
  readonly at: McpAddress;
  /** By the names that the server gives its tools; null: all of them. */
  readonly allowedTools: readonly string[] | null;
  /** Which calls a person must allow; null: those of every tool that does not say it only reads. */
  readonly requiresApproval: boolean | readonly string[] | null;
  /** Of one call. */
  readonly timeoutMs: number;
  /** Of starting the server, or reaching it, up to its list of tools. */
  readonly connectTimeoutMs: number;
  /** Of one result, as JSON; a larger one is a failed call. */
  readonly maxResultBytes: number;
}

export type McpAddress =
  /** A process of ours. Of our environment it sees only where programs and the home are (PATH, HOME …), and what stands in `env`. */
  | {
      readonly type: 'stdio';
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly cwd: string | null;
    }
  /** Streamable HTTP. */
  | { readonly type: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>> };
