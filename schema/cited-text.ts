import type { CitationRecord } from '../core/contracts/run-event.ts';
import type { CitedTextRecord } from '../core/search/summarise.ts';
import { citedPassage } from '../resolvers/citation.ts';
import { builder } from './builder.ts';
import { PassageRef } from './refs.ts';
import { UsageRef } from './usage.ts';

export const CitationRef = builder.objectRef<CitationRecord>('Citation');
CitationRef.implement({
  description: 'A source that a text rests on. title, url and quote are kept as they were when it was cited.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'The n of [n] in the text.' }),
    quote: t.exposeString('quote', { description: 'Literally in the passage.' }),
    title: t.exposeString('title', { nullable: true }),
    url: t.exposeString('url', { nullable: true }),
    passage: t.field({
      type: PassageRef,
      nullable: true,
      description: 'Null once its document is gone or was replaced.',
      resolve: citedPassage,
    }),
  }),
});

export const CitedTextRef = builder.objectRef<CitedTextRecord>('CitedText');
CitedTextRef.implement({
  description: 'Text with the passages it rests on. [n] in the text is citations[n-1].',
  fields: (t) => ({
    text: t.exposeString('text'),
    citations: t.field({ type: [CitationRef], resolve: (text) => [...text.citations] }),
    model: t.exposeString('model'),
    usage: t.field({ type: UsageRef, resolve: (text) => text.usage }),
  }),
});
