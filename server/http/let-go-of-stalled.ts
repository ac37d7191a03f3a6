import type { ServerResponse } from 'node:http';

/** Longer than any heartbeat of a stream takes to come: only a connection that takes nothing is silent for so long. */
const stalledMs = 60_000;

/**
 * Closes a stream whose client reads nothing any more, as the pings of a WebSocket do: a run that nobody reads is not watched, and
 * must not be kept for a connection that may stay half open for ever. Each byte that the client takes begins the time anew.
 */
export function letGoOfStalled(response: ServerResponse, withinMs = stalledMs): void {
  // Nobody listens for the timeout: Node then destroys the socket.
  response.setTimeout(withinMs);
}
