import { z } from 'zod';
import type { MetadataFilterInput } from '../../../core/search/metadata-filter.ts';

/** As the graph's MetadataFilter; that exactly one operator stands in each is checked where the graph's is. */
export const metadataFilter: z.ZodType<MetadataFilterInput> = z
  .strictObject({
    get all() {
      return z.array(metadataFilter).optional();
    },
    get any() {
      return z.array(metadataFilter).optional();
    },
    get not() {
      return metadataFilter.optional();
    },
    field: z.string().optional().describe('A path into the metadata: "year", "author.name".'),
    equals: z.json().optional(),
    in: z.array(z.json()).optional(),
    greaterThan: z.json().optional(),
    lessThan: z.json().optional(),
    exists: z.boolean().optional(),
  })
  .meta({ id: 'MetadataFilter' })
  .describe(
    'Exactly one of all / any / not, or field with exactly one of equals / in / greaterThan / lessThan / exists.',
  );
