import { chatTurn } from '../chat/chat-turn.ts';
import { conversationLoop } from '../chat/conversation-loop.ts';
import { connectionFrom } from '../client/connection.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandError, exitCodes, Interrupted, usageError } from '../command-error.ts';
import { interruptible } from '../interruptible.ts';

export interface ChatOptions {
  readonly in: string;
  readonly model?: string;
  readonly retrieval: boolean;
  readonly conversation?: string;
  readonly url?: string;
  readonly apiKey?: string;
}

/** `sluice chat`: one answer, or a conversation when no message is given. */
export async function chat(message: string | undefined, options: ChatOptions, context: CommandContext): Promise<void> {
  const connection = connectionFrom(options, context.env);
  let conversationId = options.conversation ?? null;

  const answer = async (text: string, interrupt: AbortSignal) => {
    const outcome = await chatTurn(
      { connection, stdout: context.stdout, interrupt },
      {
        message: text,
        ...(conversationId === null ? {} : { conversationId }),
        ...(options.model === undefined ? {} : { model: options.model }),
        ...(options.retrieval ? { retrieval: { in: options.in } } : {}),
      },
    );
    conversationId = outcome.conversationId ?? conversationId;
    if (outcome.status === 'cancelled') {
      throw interrupt.aborted ? new Interrupted() : new CommandError(`the answer was cancelled: ${outcome.reason}`);
    }
    if (outcome.status === 'failed')
      throw new CommandError(`${outcome.code}: ${outcome.message}`, { code: outcome.code });
  };

  if (message === undefined) {
    const code = await conversationLoop(context, answer);
    if (conversationId !== null) sayHowToGoOn(conversationId, context);
    if (code === exitCodes.interrupted) throw new Interrupted();
    if (code !== exitCodes.ok) throw new CommandError('not every message was answered');
    return;
  }
  if (message.trim() === '')
    throw usageError('the message is empty: give a question, or leave it out for a conversation');
  await interruptible((interrupt) => answer(message, interrupt));
  if (conversationId !== null) sayHowToGoOn(conversationId, context);
}

function sayHowToGoOn(conversationId: string, { stderr }: CommandContext): void {
  stderr.write(`\nto go on: sluice chat --conversation ${conversationId}\n`);
}
