/** An open gateway closes when something makes its first key: with one from the start, what is sent goes on to be tried. */
export const key = 'sk-fuzz-0123456789abcdef';

export const authorization = `Bearer ${key}`;
