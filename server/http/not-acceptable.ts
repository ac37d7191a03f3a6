import { GraphQLError } from 'graphql';
import type { Plugin, YogaInitialContext } from 'graphql-yoga';

const streams = ['text/event-stream', 'multipart/mixed'];
const wildcards = ['*/*', 'text/*', 'multipart/*'];

/**
 * A result of several parts fits only into a stream. Yoga finds out afterwards that the client takes none, and answers 406
 * with an empty body. Here the client is told what to accept; a subscription before it starts a run that nobody can read.
 */
export const explainNotAcceptable: Plugin<YogaInitialContext> = {
  onSubscribe({ args, setResultAndStopExecution }) {
    const accept = args.contextValue.request.headers.get('accept');
    if (!accept || [...wildcards, ...streams].some((type) => accept.includes(type))) return;
    const extensions = { code: 'BAD_INPUT', retryable: false, http: { status: 406 } };
    setResultAndStopExecution({ errors: [new GraphQLError(explanation(accept), { extensions })] });
  },
  onResponse({ request, response, setResponse, fetchAPI }) {
    if (response.status !== 406 || response.body !== null) return;
    const message = explanation(request.headers.get('accept'));
    const body = { errors: [{ message, extensions: { code: 'BAD_INPUT', retryable: false } }] };
    setResponse(fetchAPI.Response.json(body, { status: 406, headers: { accept: streams.join(', ') } }));
  },
};

function explanation(accept: string | null): string {
  return `A result of several parts needs the header accept: ${streams.join(' or ')}, got ${accept ?? 'none'}.`;
}
