import { availableParallelism, cpus, totalmem } from 'node:os';
import { type Interval, pairedInterval } from './bootstrap.ts';
import { type JudgedQuery, queryKinds } from './collection.ts';
import { type Measures, mean, percentile } from './measures.ts';

/** What one ranking got, in the order of the queries. */
export interface RankingResult {
  readonly name: string;
  readonly measures: readonly Measures[];
  readonly milliseconds: readonly number[];
}

export function machineLine(): string {
  const [processor] = cpus();
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores of ${processor?.model.trim() ?? 'an unknown processor'}, ${memoryGb} GB, Node ${process.versions.node}`;
}

/** One row per ranking, in Markdown: nDCG@10 by kind and over all, the other measures, the time. */
export function resultTable(queries: readonly JudgedQuery[], results: readonly RankingResult[]): string {
  const heads = ['ranking', ...queryKinds, 'nDCG@10', 'recall@10', 'MRR@10', 'p50 ms'];
  const rows = results.map(({ name, measures, milliseconds }) => {
    const ofKind = queryKinds.map((kind) =>
      mean(measures.filter((_, index) => queries[index]?.kind === kind).map((measured) => measured.ndcg)),
    );
    const overall = [
      mean(measures.map((measured) => measured.ndcg)),
      mean(measures.map((measured) => measured.recall)),
      mean(measures.map((measured) => measured.reciprocalRank)),
    ];
    return [name, ...[...ofKind, ...overall].map((value) => value.toFixed(3)), percentile(milliseconds, 50).toFixed(1)];
  });
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** By how much the first ranking's nDCG@10 exceeds the second's. */
export function advantage(better: RankingResult, worse: RankingResult): Interval {
  return pairedInterval(better.measures.map((measured, index) => measured.ndcg - (worse.measures[index]?.ndcg ?? 0)));
}

export function advantageLine(better: RankingResult, worse: RankingResult): string {
  const { mean: difference, low, high } = advantage(better, worse);
  return `${better.name} − ${worse.name}: ${signed(difference)} (95 % interval ${signed(low)} to ${signed(high)})`;
}

/** Queries on which the first ranking is worse than the second, the widest gap first. */
export function losses(queries: readonly JudgedQuery[], ours: RankingResult, theirs: RankingResult): string[] {
  return queries
    .map((query, index) => ({
      query,
      ours: ours.measures[index]?.ndcg ?? 0,
      theirs: theirs.measures[index]?.ndcg ?? 0,
    }))
    .filter((pair) => pair.ours < pair.theirs - 1e-9)
    .sort((left, right) => right.theirs - right.ours - (left.theirs - left.ours))
    .map(
      ({ query, ours: own, theirs: other }) => `${query.id}  ${own.toFixed(2)} < ${other.toFixed(2)}  ${query.text}`,
    );
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
}
