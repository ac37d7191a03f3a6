import { z } from 'zod';
import type { FollowedEvent } from '../../../core/runs/follow-run.ts';
import { startIngest } from '../../../resolvers/ingest.ts';
import { ingestDetail } from '../../../resolvers/run-details.ts';
import { followCall } from '../follow-call.ts';
import type { McpTool, Progress } from '../mcp-tool.ts';
import { typedTool } from '../typed-tool.ts';
import { collection, runId, usage, usageOf } from './fields.ts';

const input = z.strictObject({
  in: collection,
  documents: z
    .array(
      z.strictObject({
        externalId: z.string().min(1).describe('Its name in the collection; a document of this name is replaced.'),
        text: z.string(),
        title: z.string().optional(),
        url: z.string().optional(),
        metadata: z.record(z.string(), z.json()).optional().describe('What searches can filter by.'),
      }),
    )
    .min(1),
});

const output = z.object({
  documentsTotal: z.int(),
  documentsDone: z.int().describe('New, or replaced.'),
  documentsSkipped: z.int().describe('Unchanged since they were ingested before.'),
  failures: z.array(z.object({ externalId: z.string(), message: z.string() })),
  runId,
  usage,
});

export const ingestTool: McpTool = typedTool({
  name: 'ingest',
  title: 'Add documents',
  description:
    'Adds documents to a collection, or replaces those of the same externalId, and waits until they can be searched. Unchanged ones cost nothing.',
  scopes: ['INGEST'],
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input,
  output,
  async run(args, call) {
    const start = () => startIngest({ input: { ...args, runId: call.runId } }, call.context);
    const run = await followCall(call, start, ingestProgress);
    const { documentsTotal, documentsDone, documentsSkipped, failures } = ingestDetail(run);
    const counts = `${documentsDone} of ${documentsTotal} documents are in, ${documentsSkipped} were unchanged`;
    const faults = failures.map(({ externalId, message }) => `\n- ${externalId}: ${message}`);
    return {
      structured: {
        ...{ documentsTotal, documentsDone, documentsSkipped },
        failures: failures.map(({ externalId, message }) => ({ externalId, message })),
        ...{ runId: run.runId, usage: usageOf(run.usage) },
      },
      text: faults.length === 0 ? `${counts}.` : `${counts}, ${faults.length} failed:${faults.join('')}`,
    };
  },
});

function ingestProgress({ event }: FollowedEvent): Progress | null {
  if (event.type !== 'ProgressReported') return null;
  const { done, total } = event;
  return { done, total, message: `${done} of ${total} documents` };
}
