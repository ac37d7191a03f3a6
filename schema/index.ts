import { GraphQLDeferDirective, specifiedDirectives } from 'graphql';
import { builder } from './builder.ts';
import './agent-run.ts';
import './agent-step.ts';
import './agents.ts';
import './api-keys.ts';
import './chat.ts';
import './cited-text.ts';
import './collection.ts';
import './conversation.ts';
import './document.ts';
import './embedding.ts';
import './health.ts';
import './ingest.ts';
import './message.ts';
import './models.ts';
import './profile.ts';
import './recommendations.ts';
import './run.ts';
import './run-events.ts';
import './search.ts';
import './step-events.ts';
import './subscriptions.ts';
import './tool-answers.ts';
import './viewer.ts';

/** With @defer declared, for clients that check their operations against schema.graphql. */
export const schema = builder.toSchema({ directives: [...specifiedDirectives, GraphQLDeferDirective] });
