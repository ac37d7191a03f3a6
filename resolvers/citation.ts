import type { Context } from '../context.ts';
import type { CitationRecord } from '../core/contracts/run-event.ts';
import { orNull } from './found.ts';

export function citedPassage({ passageId }: CitationRecord, _args: object, { loaders }: Context) {
  return orNull(loaders.passage.load(passageId));
}
