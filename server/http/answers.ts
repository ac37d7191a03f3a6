import type { ServerResponse } from 'node:http';

export function tooLarge(response: ServerResponse, maxBytes: number): void {
  response.setHeader('Connection', 'close');
  refuse(response, 413, 'BAD_INPUT', `The body of a request must be at most ${maxBytes} bytes (limits.maxBodyBytes).`);
}

/** In the shape of a GraphQL result, so that clients show the message. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  retryable = false,
): void {
  answer(response, status, { errors: [{ message, extensions: { code, retryable } }] });
}

export function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(body));
}

export function redirect(response: ServerResponse, location: string): void {
  response.writeHead(307, { Location: location }).end();
}

export function end(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}
