import { availableParallelism, cpus } from 'node:os';
import { localProvider } from '../../adapters/local/local-provider.ts';
import { memoryResponseCache } from '../../adapters/memory/response-cache.ts';
import { createModels } from '../../core/models/create-models.ts';
import type { Models } from '../../core/models/models.ts';
import { cosine, mayHaveOneAnswer } from '../../core/models/sharing/same-question.ts';
import { shareModels } from '../../core/models/sharing/share-models.ts';
import { UsageMeter } from '../../core/models/usage/usage-meter.ts';
import { says, scriptedProvider } from '../../test/helpers/scripted-provider.ts';
import { type Trio, trios } from './questions.ts';

/**
 * What the semantic cache answers with MiniLM's vectors: of 20 paraphrases the hits, of 20 near misses the false hits, each asked
 * beside all 20 answered questions, by threshold. A hit with the answer of another question counts as false too. Exits with 1 when the
 * guard lets a near miss through that differs by a number, a name, a negation or an opposite.
 */
const thresholds = [0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

await using opened = new AsyncDisposableStack();
const local = localProvider();
opened.defer(() => local.close());
// Says which question it answers, so that a reply that comes again can be told from the right one.
const vendor = scriptedProvider({ chat: ({ messages }) => says(`To: ${messages.at(-1)?.text}`) });
const pool = createModels({
  providers: [
    { provider: vendor, chatModel: 'talker', embeddingModel: null },
    { provider: local, chatModel: null, embeddingModel: 'all-MiniLM-L6-v2' },
  ],
});
opened.defer(() => pool.close());

// A vector that takes longer than a second is not waited for: the model must be loaded.
await local.ready;
await vectorOf('warm');

console.log(
  `${availableParallelism()} cores of ${cpus()[0]?.model ?? '?'}, all-MiniLM-L6-v2, ${trios.length} questions\n`,
);
console.log('threshold   paraphrases: hits   with another’s answer   near misses: false hits');
for (const threshold of thresholds) {
  const { hits, wrong, falseHits } = await tried(threshold);
  const cells = [
    threshold.toFixed(2).padStart(9),
    `${hits}`.padStart(16),
    `${wrong}`.padStart(9),
    `${falseHits.length}`.padStart(20),
  ];
  console.log(`${cells.join('   ')}   of ${trios.length}`);
}

console.log('\nsimilarity to its question: paraphrase, near miss (guard: what vectors hardly see differs)');
for (const { question, paraphrase, nearMiss } of trios) {
  const [asked, same, other] = await Promise.all([question, paraphrase, nearMiss].map(vectorOf));
  if (asked === undefined || same === undefined || other === undefined) continue;
  const guarded = mayHaveOneAnswer(question, nearMiss) ? '' : '  guard';
  console.log(
    `${cosine(asked, same).toFixed(3)}  ${cosine(asked, other).toFixed(3)}  ${question} / ${nearMiss}${guarded}`,
  );
}

const guardedAway = trios.filter(({ question, nearMiss }) => !mayHaveOneAnswer(question, nearMiss));
const through = (await tried(0.5)).falseHits.filter(
  ({ trio, reply }) => guardedAway.includes(trio) && reply === `To: ${trio.question}`,
);
if (guardedAway.length === 0 || through.length > 0) {
  console.error(`\nFAILED: the guard let ${through.length} of ${guardedAway.length} through`);
  process.exitCode = 1;
}

interface FalseHit {
  readonly trio: Trio;
  readonly reply: string;
}

async function tried(threshold: number): Promise<{ hits: number; wrong: number; falseHits: FalseHit[] }> {
  const models = await answered(threshold);
  let [hits, wrong] = [0, 0];
  const falseHits: FalseHit[] = [];
  for (const trio of trios) {
    const reply = await replyTo(models, trio.paraphrase);
    if (reply === `To: ${trio.question}`) hits += 1;
    else if (reply !== `To: ${trio.paraphrase}`) wrong += 1;
  }
  // Without the paraphrases: each near miss meets the answered questions only.
  const fresh = await answered(threshold);
  for (const trio of trios) {
    const reply = await replyTo(fresh, trio.nearMiss);
    if (reply !== `To: ${trio.nearMiss}`) falseHits.push({ trio, reply });
  }
  return { hits, wrong, falseHits };
}

/** A pool that has answered the twenty questions. */
async function answered(threshold: number): Promise<Models> {
  const semantic = { threshold, ttlMs: 3_600_000, embeddingModel: 'all-MiniLM-L6-v2' };
  const models = shareModels(pool, {
    policyOf: () => ({ coalesce: false, cache: null, semantic }),
    cache: memoryResponseCache({ maxBytes: 0 }),
    similarBytes: 10_000_000,
  });
  for (const { question } of trios) {
    const reply = await replyTo(models, question);
    if (reply !== `To: ${question}`) console.log(`  at ${threshold} "${question}" got: ${reply}`);
  }
  return models;
}

async function replyTo(models: Models, text: string): Promise<string> {
  let reply = '';
  const request = { model: null, messages: [{ role: 'USER' as const, text }], sources: null };
  for await (const chunk of models.chat(request, caller())) if (chunk.type === 'text') reply += chunk.delta;
  return reply;
}

async function vectorOf(text: string): Promise<Float32Array> {
  return (await pool.embed('all-MiniLM-L6-v2', text, caller())).vector;
}

function caller() {
  return { tenant: 'bench', meter: new UsageMeter(), signal: new AbortController().signal };
}
