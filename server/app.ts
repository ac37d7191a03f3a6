import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import type { ExecutionResult } from 'graphql';
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import type { Context, Principal } from '../context.ts';
import { UsageMeter } from '../core/models/usage/usage-meter.ts';
import type { Services } from '../core/services.ts';
import { createLoaders } from '../loaders/index.ts';
import { schema } from '../schema/index.ts';
import { createToClientError, withCode } from './client-errors.ts';
import type { Config } from './config/config-schema.ts';
import { forgetScopes } from './forget-scopes.ts';
import { refuseMalformedParameters } from './http/malformed-parameters.ts';
import { explainNotAcceptable } from './http/not-acceptable.ts';
import { operationLimits } from './operation-limits.ts';
import { currentOperation } from './request-scope.ts';
import { describeOperations } from './telemetry/operations/describe-operations.ts';
import type { OperationReport } from './telemetry/report/operation-report.ts';
import { reportByPath, reportPlugin, wantedReport, withReport } from './telemetry/report/report-plugin.ts';

reportByPath(schema);

export const graphqlPath = '/graphql';
/** The same endpoint, under the path that clients of graphql-sse are usually given. */
export const graphqlSsePath = '/graphql/stream';

/** What the transport knows of a request before Yoga sees it. */
export interface ServerContext {
  readonly principal: Principal;
  readonly requestId: string;
  /** Fires with the reason when the caller's key is revoked or expires; null: it is not watched here. */
  readonly ended: AbortSignal | null;
  /** What was executed before Yoga is asked to tell it: it must not be executed again. */
  executed?: ExecutionResult;
}

export type App = YogaServerInstance<ServerContext, Context>;

const tellExecuted: Plugin<object, ServerContext> = {
  onParams({ context: { executed }, setResult }) {
    if (executed !== undefined) setResult(executed);
  },
};

/** The GraphQL side of the gateway: the schema with its limits, the same for every transport. */
export function createApp(services: Services, config: Config): App {
  const toClientError = createToClientError(services.logger);
  return createYoga<ServerContext, Context>({
    schema,
    graphqlEndpoint: graphqlPath,
    // The transport answers these itself: see http-server.ts.
    graphiql: false,
    landingPage: false,
    cors: false,
    healthCheckEndpoint: '/health/yoga',
    multipart: false,
    // Bodies are bounded before they come here; a second bound of Yoga's own would be the smaller one for some.
    maxRequestBodySize: false,
    logging: false,
    maskedErrors: { maskError: toClientError },
    // Not async: what has nothing to wait for goes on at once, and so does all that Yoga has around it.
    context: ({ request, params, principal, requestId, ended }) => {
      const create = () => {
        const signal = ended === null ? request.signal : AbortSignal.any([request.signal, ended]);
        return createContext(services, principal, signal, requestId, wantedReport({ request, params }));
      };
      return admitOnce(services, principal)?.then(create) ?? create();
    },
    plugins: [
      tellExecuted,
      useDeferStream(),
      describeOperations,
      forgetScopes,
      reportPlugin,
      refuseMalformedParameters,
      ...operationLimits(config.limits),
      explainNotAcceptable,
      {
        onExecutionResult({ result }) {
          if (result !== undefined && 'errors' in result && result.errors) {
            const errors = result.errors.map(withCode);
            Object.assign(result, { errors });
            currentOperation()?.failedWith(errors);
          }
        },
      },
    ],
  });
}

const admitted = new WeakSet<object>();

/** An operation whose variables are wrong is given to Yoga after `answerDirectly` has tried it: that is one request, not two. */
function admitOnce({ admit }: Services, principal: Principal): Promise<void> | null {
  const operation = currentOperation();
  if (operation !== undefined && admitted.has(operation)) return null;
  return (
    admit(principal)?.then(() => {
      if (operation !== undefined) admitted.add(operation);
    }) ?? null
  );
}

/** A request's own context: its tenant's loaders, and one signal that reaches the provider and the SQL. */
export function createContext(
  services: Services,
  principal: Principal,
  signal: AbortSignal,
  requestId: string,
  report: OperationReport | null,
): Context {
  const call = {
    tenant: principal.tenant,
    payer: principal.keyId,
    signal,
    meter: report?.sharedMeter ?? new UsageMeter(),
  };
  const context = { principal, services, signal, call, requestId, loaders: createLoaders(services, call) };
  return withReport(context, report);
}
