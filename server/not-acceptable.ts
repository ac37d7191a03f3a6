import type { Plugin } from 'graphql-yoga';

/**
 * A result of several parts fits only into a stream. A client that accepts none gets 406 from Yoga, with an empty body:
 * here it is told what to accept.
 */
export const explainNotAcceptable: Plugin = {
  onResponse({ response, setResponse, fetchAPI }) {
    if (response.status !== 406) return;
    const types = response.headers.get('accept')?.replaceAll('; charset=utf-8', '') ?? 'application/json';
    const message = `The result needs the header Accept to name one of ${types}; the request names none of them.`;
    const body = { errors: [{ message, extensions: { code: 'BAD_INPUT', retryable: false } }] };
    setResponse(fetchAPI.Response.json(body, { status: 406, headers: { accept: types } }));
  },
};
