import {
  defaultFieldResolver,
  type ExecutionResult,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  isObjectType,
  responsePathAsArray,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Context } from '../../../context.ts';
import { type Asking, OperationReport, reportScope } from './operation-report.ts';

export const reportHeader = 'x-sluice-report';

/** The fields that ask models. What others use stands in the report under the empty path. */
const askingFields: Readonly<Record<string, Asking>> = {
  'Query.search': 'shared',
  'Query.embedding': 'shared',
  'SearchConnection.summary': 'alone',
  'Document.summary': 'alone',
  'Mutation.startChat': 'alone',
  'Mutation.startIngest': 'alone',
};

const reports = new WeakMap<object, OperationReport>();

interface Wish {
  readonly request: { readonly headers: { get(name: string): string | null } };
  readonly params?: { readonly extensions?: Readonly<Record<string, unknown>> | null | undefined };
}

/** By the header `x-sluice-report: 1`, or by `extensions: {sluice: true}` of the request, which a WebSocket has too. */
export function wantedReport({ request, params }: Wish): OperationReport | null {
  const isWanted = request.headers.get(reportHeader) === '1' || params?.extensions?.['sluice'] === true;
  return isWanted ? new OperationReport() : null;
}

/** The context with the report that its operation wants. */
export function withReport<T extends Context>(context: T, report: OperationReport | null): T {
  if (report !== null) reports.set(context.call, report);
  return context;
}

/** Puts `extensions.sluice` into the results of queries and mutations that want it. */
export const reportPlugin: Plugin<Context> = {
  onExecute({ args }) {
    const report = reports.get(args.contextValue.call);
    if (report === undefined) return undefined;
    return {
      onExecuteDone({ result, setResult }) {
        // Of several parts the first one would have half of it, and the last one none to put it in.
        if (Symbol.asyncIterator in result) return;
        const { extensions, ...rest } = result as ExecutionResult;
        setResult({ ...rest, extensions: { ...extensions, sluice: report.result() } });
      },
    };
  },
};

/** Once per schema: gives each field that asks models a meter of its path, in operations with a report. */
export function reportByPath(schema: GraphQLSchema): void {
  for (const [coordinate, asking] of Object.entries(askingFields)) {
    const [typeName = '', fieldName = ''] = coordinate.split('.');
    const type = schema.getType(typeName);
    const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
    if (field === undefined) throw new Error(`there is no field ${coordinate} to report on`);
    field.resolve = reporting(field.resolve ?? defaultFieldResolver, asking);
  }
}

function reporting(
  resolve: GraphQLFieldResolver<unknown, Context>,
  asking: Asking,
): GraphQLFieldResolver<unknown, Context> {
  return (source, args, context, info) => {
    const report = reports.get(context.call);
    if (report === undefined) return resolve(source, args, context, info);
    const tally = report.tally(responsePathAsArray(info.path).join('.'), asking);
    const call = { ...context.call, meter: tally.meter };
    return reportScope.run(tally, () => resolve(source, args, { ...context, call }, info));
  };
}
