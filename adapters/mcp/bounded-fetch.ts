/**
 * A fetch whose answers end with an error after so many bytes: what a server sends is read into memory before anybody can look at it. The
 * stream of notifications, by GET, may go on for as long as the connection, and each of its events is bounded.
 */
export function boundedFetch(maxBytes: number): (url: string | URL, init?: RequestInit) => Promise<Response> {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (response.body === null) return response;
    const isStream = init?.method !== 'POST' && response.ok;
    let bytes = 0;
    let tail = Buffer.alloc(0);
    const bounded = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          bytes += chunk.byteLength;
          if (isStream) {
            // The line's end before it may have come with the chunk before.
            const seam = Buffer.concat([tail, chunk]);
            const end = endOfEvents(seam);
            if (end >= 0) bytes = seam.length - end;
            tail = seam.subarray(-2);
          }
          if (bytes > maxBytes) controller.error(new Error(`The answer is larger than ${maxBytes} bytes.`));
          else controller.enqueue(chunk);
        },
      }),
    );
    const { status, statusText, headers } = response;
    return new Response(bounded, { status, statusText, headers });
  };
}

/** An empty line ends an event. */
function endOfEvents(bytes: Buffer): number {
  return Math.max(...['\n\n', '\n\r\n', '\r\r'].map((end) => bytes.lastIndexOf(end)));
}
