/** Thrown where a run that has reached a limit would spend more: no failure, for what there is by then is the output. */
export class LimitReached extends Error {
  constructor(limit: string) {
    super(`a limit of the run was reached: ${limit}`);
  }
}
