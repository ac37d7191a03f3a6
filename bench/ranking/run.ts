import { type JudgedQuery, readCollection } from './collection.ts';
import { openRankingGateway } from './gateway.ts';
import { measure } from './measures.ts';
import { gatewayRanking, plainRanking, type Ranking } from './rankings.ts';
import { advantage, advantageLine, losses, machineLine, type RankingResult, resultTable } from './report.ts';

/**
 * Ranks a judged collection with the gateway's own parts and prints what each mode gets. Exits with 1 unless hybrid is
 * at least as good as keyword, and keyword as plain full-text search, by nDCG@10 over all queries.
 */
const { documents, queries } = await readCollection();
await using gateway = await openRankingGateway();
const startedIngest = performance.now();
const passages = await gateway.ingest(documents);
const ingestSeconds = (performance.now() - startedIngest) / 1_000;
const vectors = await Promise.all(queries.map((query) => gateway.embed(query.text)));

console.log(machineLine());
console.log(
  `${documents.length} documents, ${passages} passages (ingested in ${ingestSeconds.toFixed(0)} s), ${queries.length} queries, ${gateway.embeddingModel}, embedded database\n`,
);

const plain = await evaluate(plainRanking(gateway.database, gateway));
const keyword = await evaluate(gatewayRanking(gateway, 'keyword', 'KEYWORD'));
const vector = await evaluate(gatewayRanking(gateway, 'vector', 'VECTOR'));
const hybrid = await evaluate(gatewayRanking(gateway, 'hybrid', 'HYBRID'));

console.log(resultTable(queries, [plain, keyword, vector, hybrid]));
console.log(`\n${advantageLine(keyword, plain)}\n${advantageLine(hybrid, keyword)}\n${advantageLine(hybrid, vector)}`);
console.log(`\nHybrid is worse than keyword on:\n${losses(queries, hybrid, keyword).join('\n') || 'none'}`);
console.log(`\nHybrid is worse than vector on:\n${losses(queries, hybrid, vector).join('\n') || 'none'}`);

if (advantage(hybrid, keyword).mean < 0 || advantage(keyword, plain).mean < 0) {
  console.error('\nFAILED: expected hybrid ≥ keyword ≥ plain by nDCG@10 over all queries.');
  process.exitCode = 1;
}

/** Two rounds: the first warms caches and plans, the second is timed. Rankings must not differ between them. */
async function evaluate(ranking: Ranking): Promise<RankingResult> {
  const first = await round(ranking);
  const second = await round(ranking);
  for (const [index, { ranked }] of second.entries()) {
    if (ranked.join() === first[index]?.ranked.join()) continue;
    throw new Error(`${ranking.name} ranked "${queries[index]?.text}" in two ways: ties must be broken`);
  }
  return {
    name: ranking.name,
    measures: second.map(({ ranked, query }) => measure(ranked, query.relevant)),
    milliseconds: second.map(({ ms }) => ms),
  };
}

async function round(ranking: Ranking): Promise<{ query: JudgedQuery; ranked: readonly string[]; ms: number }[]> {
  const rounds: { query: JudgedQuery; ranked: readonly string[]; ms: number }[] = [];
  // One after the other: the embedded database has one connection, and times would hold each other's.
  for (const [index, query] of queries.entries()) {
    const vector = vectors[index];
    if (vector === undefined) throw new Error(`query ${query.id} has no vector`);
    rounds.push({ query, ...(await ranking.rank({ text: query.text, vector })) });
  }
  return rounds;
}
