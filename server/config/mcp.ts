import { z } from 'zod';

/** Those that come with the gateway. */
export const mcpToolNames = ['search', 'ask', 'research', 'ingest'] as const;

/** What the gateway serves at /mcp. */
export const mcp = z.strictObject({
  /** Which of the tools that come with the gateway; the scopes of each caller's key are above this. */
  tools: z.array(z.enum(mcpToolNames)).default([...mcpToolNames]),
  /** What becomes of a call's run when its client goes: CANCEL stops it, FINISH lets it go on, to be found by GraphQL. */
  whenUnwatched: z.enum(['CANCEL', 'FINISH']).default('CANCEL'),
});
