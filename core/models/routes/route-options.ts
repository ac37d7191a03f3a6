/** One name for several models that can stand in for each other. */
export interface RouteOptions {
  readonly name: string;
  readonly policy: RoutePolicy;
  /** At least one. */
  readonly targets: readonly RouteTarget[];
  /** Identical generations at the same time share one provider call, whatever their temperature. */
  readonly coalesce?: boolean | undefined;
  /** A route, or a model, for prompts that are too long for the targets. */
  readonly largerContext?: string | undefined;
  /** When a stream breaks in its middle, the next target begins the text again. */
  readonly midStreamFallback?: boolean | undefined;
  readonly hedge?: HedgeOptions | undefined;
}

/**
 * The order in which targets are tried. `fallback`: as they are listed. `weighted`: by lot. `fastest`: by the time to the first
 * token of late. `cheapest`: by price.
 */
export type RoutePolicy = 'fallback' | 'weighted' | 'fastest' | 'cheapest';

export interface RouteTarget {
  /** By name. */
  readonly provider: string;
  readonly model: string;
  /** For `weighted`: twice the weight is twice the calls. Default: 1. */
  readonly weight?: number | undefined;
}

/** A second call beside one that is slow to start; whichever starts first is kept. */
export interface HedgeOptions {
  /** How long the first call may take to start. A percentile (0..1) is of the target's own last minute. */
  readonly after: { readonly ms: number } | { readonly percentile: number };
  /** Of all calls of the route, 0..1. */
  readonly maxShare: number;
}
