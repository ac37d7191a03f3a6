import { z } from 'zod';
import { hostPattern } from '../../adapters/http-get/allowed-hosts.ts';
import { count } from './fields.ts';

/** What a result may be: beside what the model's context holds, what the log of a run can bear. */
const maxResultChars = { min: 100, max: 10_000_000 };

/** What the operator decides of one tool, over what it says of itself. */
const tool = z.strictObject({
  requiresApproval: z.boolean().optional(),
  timeoutMs: z.coerce.number().int().min(100).max(3_600_000).optional(),
  maxResultChars: z.coerce.number().int().min(maxResultChars.min).max(maxResultChars.max).optional(),
});

export const tools = z.strictObject({
  /** Model calls of one reply that may call tools; in the last one it may call none. */
  maxTurns: count(1, 100, 16),
  /** Calls of one turn that are made at the same time. */
  maxParallel: count(1, 100, 8),
  /** Characters of JSON of one result; a longer one is a failed call. */
  maxResultChars: count(maxResultChars.min, maxResultChars.max, 50_000),
  httpGet: z
    .strictObject({
      /** Hosts that http_get may read; empty: it is not offered. */
      hosts: z
        .array(
          z
            .string()
            .trim()
            .toLowerCase()
            .regex(
              hostPattern,
              'expected a host such as api.example.org, *.example.org or localhost:8080, without https://',
            ),
        )
        .max(1_000)
        .default([]),
      /** Of one answer, unpacked; what is longer is cut. */
      maxBytes: count(1_000, 5_000_000, 500_000),
    })
    .prefault({}),
  /** By the name of the tool. */
  settings: z.record(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected the name of a tool'), tool).default({}),
});
