import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { GatewayError } from '../../core/contracts/gateway-error.ts';

/** What a call failed with, in our words; what a server or its HTTP layer says in its own stays bounded, and its bodies stay out. */
export function callError(error: unknown, tool: string, timeoutMs: number): GatewayError {
  if (error instanceof GatewayError) return error;
  if (error instanceof ProtocolError) {
    return new GatewayError('UPSTREAM_REJECTED', `The MCP server refused ${tool}: ${error.message.slice(0, 500)}`, {
      cause: error,
    });
  }
  if (error instanceof SdkHttpError) {
    const isRefused = error.status === 401 || error.status === 403;
    const message = `The MCP server answered ${tool} with HTTP status ${error.status}.`;
    return new GatewayError(isRefused ? 'UPSTREAM_REJECTED' : 'UPSTREAM_UNAVAILABLE', message, {
      retryable: !isRefused,
      cause: error,
    });
  }
  switch (error instanceof SdkError ? error.code : null) {
    case SdkErrorCode.RequestTimeout:
      return new GatewayError('UPSTREAM_TIMEOUT', `${tool} gave no result within ${timeoutMs} ms.`, {
        retryable: true,
        details: { phase: 'TOTAL' },
        cause: error,
      });
    case SdkErrorCode.UnsupportedResultType:
    case SdkErrorCode.InputRequiredRoundsExceeded:
      return new GatewayError('UPSTREAM_REJECTED', `${tool} asks for something that a run cannot give it.`, {
        cause: error,
      });
    case SdkErrorCode.InvalidResult:
      return new GatewayError('UPSTREAM_REJECTED', `What ${tool} gave is no result of a tool.`, { cause: error });
    default:
      return new GatewayError('UPSTREAM_UNAVAILABLE', `The MCP server of ${tool} was lost in the middle of the call.`, {
        retryable: true,
        cause: error,
      });
  }
}
