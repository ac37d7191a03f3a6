import { knownModel } from '../../../core/models/catalogue/known-models.ts';

/** What stands for every name that is neither configured nor published. */
export const otherModel = 'other';

/**
 * The value of the label `model`. A provider takes any name that a client invents, and each would be a series that is never
 * dropped: only names from the configuration and from the public table of models are labels.
 */
export function modelLabels(configured: Iterable<string>): (name: string) => string {
  const names = new Set(configured);
  return (name) => (names.has(name) || knownModel(name) !== null ? name : otherModel);
}
