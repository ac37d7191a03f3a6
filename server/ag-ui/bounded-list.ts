import { z } from 'zod';

/** So many faults of a body are told. */
export const maxFaults = 10;

/**
 * A list whose reading ends with its tenth faulty item. zod makes a fault of several objects and texts for each, and a body of
 * 20 MB has room for millions of items: they would take minutes of the event loop, and more memory than there is.
 */
export function listOf<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z.array(z.unknown()).transform((values, context) => {
    const items: T[] = [];
    let faulty = 0;
    for (const [index, value] of values.entries()) {
      const { data, error } = item.safeParse(value);
      if (error === undefined) {
        items.push(data);
        continue;
      }
      for (const { path, message } of error.issues.slice(0, maxFaults)) {
        context.addIssue({ code: 'custom', message, path: [index, ...path] });
      }
      faulty += 1;
      if (faulty >= maxFaults) return z.NEVER;
    }
    return items;
  });
}

/** A few names of the many that a body can hold, each with its beginning. */
export const shownNames = (names: readonly string[]): string =>
  names
    .slice(0, 5)
    .map((name) => name.slice(0, 60))
    .join(', ');
