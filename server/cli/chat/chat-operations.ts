import { z } from 'zod';
import type { Operation } from '../client/request.ts';
import { citation } from '../client/run-event.ts';

/** Starts a turn and follows it; sent again with a newer `after` it goes on from there. */
export const chatSubscription = /* GraphQL */ `
  subscription Chat($input: StartChatInput!, $after: String) {
    chat(input: $input, after: $after) {
      __typename
      seq
      cursor
      ... on TextMessageDelta { delta }
      ... on TextMessageReset { reason }
      ... on SourceCited { citation { number quote title url } }
      ... on RunFinished { run { ... on ChatRun { conversation { id } } } }
      ... on RunFailed { error { code message } }
      ... on RunCancelled { reason }
    }
  }
`;

const reply = z.object({
  run: z
    .object({
      conversation: z.object({ id: z.string() }).nullish(),
      reply: z.object({ text: z.string(), citations: z.array(citation) }).nullish(),
    })
    .nullable(),
});

/** What a turn left behind; asked for when its events did not tell. `reply` is there at once, because the run has ended. */
export const replyOperation: Operation<z.infer<typeof reply>> = {
  document: /* GraphQL */ `
    query Reply($runId: UUID!) {
      run(runId: $runId) {
        ... on ChatRun {
          conversation { id }
          reply { text citations { number quote title url } }
        }
      }
    }
  `,
  data: reply,
};
