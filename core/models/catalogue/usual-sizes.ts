/** Tokens of input and output together that a model is taken to hold of which nobody says. */
export const usualContextWindow = 128_000;

/** What a reply of unknown length is taken to use of the tokens per minute, until it is known. */
export const usualOutputTokens = 1_024;
