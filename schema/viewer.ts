import type { Principal } from '../context.ts';
import type { KeyLimits } from '../core/contracts/api-key-store.ts';
import type { UsageReportRecord } from '../core/contracts/usage-store.ts';
import { callerLimits, usageReport, viewer } from '../resolvers/viewer.ts';
import { builder } from './builder.ts';
import { UsageRef } from './usage.ts';

export const ScopeRef = builder.enumType('Scope', {
  description: 'ADMIN: keys and limits of its own tenant. OPERATOR: of every tenant.',
  values: ['SEARCH', 'CHAT', 'AGENT', 'INGEST', 'RECOMMEND', 'ADMIN', 'OPERATOR'] as const,
});

const ModelUsageRef = builder.objectRef<UsageReportRecord['byModel'][number]>('ModelUsage');
ModelUsageRef.implement({
  fields: (t) => ({
    model: t.exposeString('model'),
    usage: t.field({ type: UsageRef, resolve: (entry) => entry.usage }),
  }),
});
const DayUsageRef = builder.objectRef<UsageReportRecord['byDay'][number]>('DayUsage');
DayUsageRef.implement({
  fields: (t) => ({
    day: t.exposeString('day', { description: 'YYYY-MM-DD, in UTC.' }),
    usage: t.field({ type: UsageRef, resolve: (entry) => entry.usage }),
  }),
});
const UsageReportRef = builder.objectRef<UsageReportRecord>('UsageReport');
UsageReportRef.implement({
  description: 'What the tenant spent. Calls of the last seconds may not be in it yet.',
  fields: (t) => ({
    total: t.field({ type: UsageRef, resolve: (report) => report.total }),
    byModel: t.field({ type: [ModelUsageRef], resolve: (report) => [...report.byModel] }),
    byDay: t.field({ type: [DayUsageRef], resolve: (report) => [...report.byDay] }),
  }),
});

export const LimitsRef = builder.objectRef<KeyLimits>('Limits');
LimitsRef.implement({
  description: 'What a key may use; null: not limited.',
  fields: (t) => ({
    requestsPerMinute: t.exposeInt('requestsPerMinute', { nullable: true }),
    tokensPerMinute: t.exposeInt('tokensPerMinute', { nullable: true }),
    budgetUsdPerDay: t.exposeFloat('budgetUsdPerDay', { nullable: true }),
    maxConcurrentRuns: t.exposeInt('maxConcurrentRuns', { nullable: true }),
  }),
});

const ViewerRef = builder.objectRef<Principal>('Viewer');
ViewerRef.implement({
  description: 'Who is calling.',
  fields: (t) => ({
    tenant: t.exposeString('tenant'),
    keyName: t.exposeString('keyName', { nullable: true, description: 'Null in open mode.' }),
    scopes: t.field({ type: [ScopeRef], resolve: (principal) => [...principal.scopes] }),
    limits: t.field({ type: LimitsRef, resolve: (principal, _args, ctx) => callerLimits(principal, ctx) }),
    usage: t.field({
      type: UsageReportRef,
      args: { since: t.arg({ type: 'DateTime', description: 'To the minute; left out: everything that is kept.' }) },
      resolve: (_principal, args, ctx) => usageReport(args, ctx),
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerRef,
    authScopes: { anyKey: true },
    description: 'Who is calling: key, tenant, scopes, and what has been spent.',
    resolve: (_root, _args, ctx) => viewer(ctx),
  }),
);
