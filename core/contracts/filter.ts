/** A metadata filter, validated: depth bounded, exactly one operator per node, scalars only. */
export type Filter =
  | { readonly op: 'all' | 'any'; readonly filters: readonly Filter[] }
  | { readonly op: 'not'; readonly filter: Filter }
  | { readonly op: 'equals'; readonly path: string; readonly value: Json }
  | { readonly op: 'in'; readonly path: string; readonly values: readonly Json[] }
  /** Numbers compare with numbers, strings with strings (code points); any other pair is no match. */
  | { readonly op: 'greaterThan' | 'lessThan'; readonly path: string; readonly value: string | number }
  | { readonly op: 'exists'; readonly path: string; readonly exists: boolean };
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
