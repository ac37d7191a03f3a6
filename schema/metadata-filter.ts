import type { InputRef } from '@pothos/core';
import type { MetadataFilterInput } from '../core/search/metadata-filter.ts';
import { builder } from './builder.ts';

export const MetadataFilterRef: InputRef<MetadataFilterInput> = builder
  .inputRef<MetadataFilterInput>('MetadataFilter')
  .implement({
    description:
      'Exactly one of all / any / not, or `field` with exactly one of equals / in / greaterThan / lessThan / exists.',
    // The fields are the interface's, but Pothos strips `undefined` from recursive input types.
    fields: (t): never =>
      ({
        all: t.field({ type: [MetadataFilterRef], required: false, description: 'Every one of them holds.' }),
        any: t.field({ type: [MetadataFilterRef], required: false, description: 'At least one of them holds.' }),
        not: t.field({
          type: MetadataFilterRef,
          required: false,
          description: 'It does not hold; a document without the field counts.',
        }),
        field: t.string({ description: 'A key of the metadata; dots go into objects: author.name.' }),
        equals: t.field({ type: 'JSON', required: false }),
        in: t.field({ type: ['JSON'], required: false }),
        greaterThan: t.field({ type: 'JSON', required: false, description: 'Numbers with numbers, texts with texts.' }),
        lessThan: t.field({ type: 'JSON', required: false, description: 'Numbers with numbers, texts with texts.' }),
        exists: t.boolean({ description: 'Whether the document has the field at all.' }),
      }) as never,
  });
