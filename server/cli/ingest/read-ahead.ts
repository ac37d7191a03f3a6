/** Asks for the next item while the consumer works on this one: files are read while the gateway embeds. */
export async function* readAhead<T>(items: AsyncIterator<T>): AsyncGenerator<T> {
  let next = items.next();
  try {
    for (;;) {
      const current = await next;
      if (current.done) return;
      next = items.next();
      // Its failure is thrown above, when its turn comes; until then it must not count as unhandled.
      next.catch(() => undefined);
      yield current.value;
    }
  } finally {
    // Not awaited: it comes after the item that is being made, which nobody wants any more.
    items.return?.()?.catch(() => undefined);
  }
}
