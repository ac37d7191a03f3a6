import { z } from 'zod';

export const text = z.string().trim().min(1);

export const count = (min: number, max: number, fallback: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);

/** The base URL of a provider; where its key and its query go, the message says. */
export const baseUrl = (where: string) =>
  z
    .url({ protocol: /^https?$/, error: 'expected a URL that begins with http:// or https://', abort: true })
    .refine((url) => /^[^?#]*$/.test(url) && new URL(url).username === '' && new URL(url).password === '', {
      error: `expected a URL without user, password and query; ${where}`,
    });
