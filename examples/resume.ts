import { type Client, createClient } from 'graphql-ws';

/**
 * The events of a subscription that takes `after`, to the terminal one, over as many connections and instances as it takes:
 * after every break the operation is sent again, with the last cursor, to the next address. The retries of graphql-ws alone
 * would send the first payload again, and repeat what was seen.
 *
 * `query` selects `__typename` and `cursor` of the one field `event`, and takes `$after`.
 */
export async function* resume<Event extends { readonly __typename: string; readonly cursor: string }>(
  urls: () => readonly string[],
  query: string,
  variables: Record<string, unknown>,
  { breaks = 30, silenceMs = 5_000 } = {},
): AsyncGenerator<Event, void, undefined> {
  let after: string | null = null;
  for (let attempt = 0; ; attempt += 1) {
    const all = urls();
    const client = connect(all[attempt % all.length] ?? '', silenceMs);
    try {
      for await (const { data, errors } of client.iterate<{ event: Event }>({
        query,
        variables: { ...variables, after },
      })) {
        if (errors) throw errors;
        if (!data) continue;
        yield data.event;
        after = data.event.cursor;
        attempt = 0;
        if (/^Run(Finished|Failed|Cancelled)$/.test(data.event.__typename)) return;
      }
    } catch (error) {
      // The gateway's own answer, such as NOT_FOUND, unless it says that trying again is worth it.
      if (Array.isArray(error) && !error.every(({ extensions }) => extensions?.retryable === true)) throw error;
      if (attempt >= breaks) throw error;
    } finally {
      await client.dispose();
    }
    await new Promise((resolve) =>
      setTimeout(resolve, Math.min(2_000, 50 * 2 ** Math.min(attempt, 6)) * Math.random()),
    );
  }
}

/** A connection that is silent, and not closed, is given up: an instance that stands still says nothing. */
function connect(url: string, silenceMs: number): Client {
  let late: ReturnType<typeof setTimeout> | undefined;
  const client = createClient({
    url,
    retryAttempts: 0,
    keepAlive: silenceMs,
    connectionAckWaitTimeout: silenceMs,
    on: {
      ping: (received) => {
        if (!received) late = setTimeout(() => client.terminate(), silenceMs);
      },
      pong: (received) => {
        if (received) clearTimeout(late);
      },
      closed: () => clearTimeout(late),
    },
  });
  return client;
}
