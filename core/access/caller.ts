/** Who work is done for. */
export interface Caller {
  readonly tenant: string;
  /** The id of the API key that pays; null: the gateway runs open, or by its static key. */
  readonly keyId: string | null;
}
