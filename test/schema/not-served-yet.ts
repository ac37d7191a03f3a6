/**
 * What the contract names and later work brings.
 * An entry stands for everything inside of it. Each later issue takes its lines out.
 */
export const notServedYet: readonly string[] = [];
