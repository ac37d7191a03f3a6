import type { ModelRequest } from '../models.ts';

/** What identical generations of one tenant may have in common, by the model or the route that they are asked of. */
export interface SharingPolicy {
  /** One provider call for all that are asked for at the same time, whatever their temperature. */
  readonly coalesce: boolean;
}

export const defaultSharing: SharingPolicy = { coalesce: false };

/** At temperature 0 the same question is meant to have one answer; above it, sharing one is a choice of the operator. */
export function isShared({ temperature }: Pick<ModelRequest, 'temperature'>, { coalesce }: SharingPolicy): boolean {
  return temperature === 0 || coalesce;
}
