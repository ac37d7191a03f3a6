/** Of histograms, in seconds. From a cached reply to the total deadline of a call. */
export const callSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

export const waitSeconds = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Of SQL. Few, since there is a series for each statement and bucket. */
export const statementSeconds = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10];

export const tokensPerSecond = [1, 5, 10, 20, 40, 60, 80, 100, 150, 200, 400, 800];
