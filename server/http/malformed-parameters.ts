import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Yoga parses the JSON in a query string or a form without care: what the client wrote wrong would pass for a fault of ours. */
export const refuseMalformedParameters: Plugin = {
  onRequestParse({ requestParser, setRequestParser }) {
    if (requestParser === undefined) return;
    setRequestParser(async (request) => {
      try {
        return await requestParser(request);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        throw new GraphQLError(`variables and extensions must be JSON: ${error.message}`, {
          extensions: { http: { status: 400 } },
        });
      }
    });
  },
};
