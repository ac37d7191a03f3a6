/* eslint-disable */
import * as types from './graphql.ts';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  subscription Chat($input: StartChatInput!, $after: String) {\n    chat(input: $input, after: $after) {\n      __typename\n      cursor\n      ... on TextMessageDelta {\n        delta\n      }\n      ... on TextMessageReset {\n        reason\n      }\n      ... on SourceCited {\n        citation {\n          number\n          title\n          quote\n        }\n      }\n      ... on RunFailed {\n        error {\n          code\n          message\n        }\n      }\n    }\n  }\n": typeof types.ChatDocument,
    "\n  subscription ResearchTeam($input: StartAgentInput!) {\n    agent(input: $input) {\n      __typename\n      at\n      ... on StepStarted {\n        step\n        title\n        role\n      }\n      ... on StepFinished {\n        step\n        stepStatus\n      }\n      ... on TextMessageDelta {\n        delta\n      }\n      ... on TextMessageReset {\n        reason\n      }\n      ... on SourceCited {\n        citation {\n          number\n          title\n          quote\n        }\n      }\n      ... on RunFailed {\n        error {\n          code\n          message\n        }\n      }\n    }\n  }\n": typeof types.ResearchTeamDocument,
    "\n  query SearchTwice($first: String!, $second: String!) {\n    first: search(query: $first, first: 3) { ...Hits }\n    second: search(query: $second, first: 3) { ...Hits }\n  }\n  fragment Hits on SearchConnection {\n    edges {\n      score\n      node {\n        text\n        document {\n          externalId\n          title\n        }\n      }\n    }\n  }\n": typeof types.SearchTwiceDocument,
    "\n  subscription E2eChat($input: StartChatInput!) {\n    chat(input: $input) {\n      __typename\n      seq\n      ... on TextMessageDelta { delta }\n      ... on SourceCited { citation { number quote title passage { text } } }\n      ... on RunFinished { run { status ... on ChatRun { reply { text finishReason citations { number quote } } conversation { title } } } }\n      ... on RunFailed { error { code message } }\n    }\n  }\n": typeof types.E2eChatDocument,
};
const documents: Documents = {
    "\n  subscription Chat($input: StartChatInput!, $after: String) {\n    chat(input: $input, after: $after) {\n      __typename\n      cursor\n      ... on TextMessageDelta {\n        delta\n      }\n      ... on TextMessageReset {\n        reason\n      }\n      ... on SourceCited {\n        citation {\n          number\n          title\n          quote\n        }\n      }\n      ... on RunFailed {\n        error {\n          code\n          message\n        }\n      }\n    }\n  }\n": types.ChatDocument,
    "\n  subscription ResearchTeam($input: StartAgentInput!) {\n    agent(input: $input) {\n      __typename\n      at\n      ... on StepStarted {\n        step\n        title\n        role\n      }\n      ... on StepFinished {\n        step\n        stepStatus\n      }\n      ... on TextMessageDelta {\n        delta\n      }\n      ... on TextMessageReset {\n        reason\n      }\n      ... on SourceCited {\n        citation {\n          number\n          title\n          quote\n        }\n      }\n      ... on RunFailed {\n        error {\n          code\n          message\n        }\n      }\n    }\n  }\n": types.ResearchTeamDocument,
    "\n  query SearchTwice($first: String!, $second: String!) {\n    first: search(query: $first, first: 3) { ...Hits }\n    second: search(query: $second, first: 3) { ...Hits }\n  }\n  fragment Hits on SearchConnection {\n    edges {\n      score\n      node {\n        text\n        document {\n          externalId\n          title\n        }\n      }\n    }\n  }\n": types.SearchTwiceDocument,
    "\n  subscription E2eChat($input: StartChatInput!) {\n    chat(input: $input) {\n      __typename\n      seq\n      ... on TextMessageDelta { delta }\n      ... on SourceCited { citation { number quote title passage { text } } }\n      ... on RunFinished { run { status ... on ChatRun { reply { text finishReason citations { number quote } } conversation { title } } } }\n      ... on RunFailed { error { code message } }\n    }\n  }\n": types.E2eChatDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription Chat($input: StartChatInput!, $after: String) {\n    chat(input: $input, after: $after) {\n      __typename\n      cursor\n      ... on TextMessageDelta {\n        delta\n      }\n      ... on TextMessageReset {\n        reason\n      }\n      ... on SourceCited {\n        citation {\n          number\n          title\n          quote\n        }\n      }\n      ... on RunFailed {\n        error {\n          code\n          message\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').ChatDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription ResearchTeam($input: StartAgentInput!) {\n    agent(input: $input) {\n      __typename\n      at\n      ... on StepStarted {\n        step\n        title\n        role\n      }\n      ... on StepFinished {\n        step\n        stepStatus\n      }\n      ... on TextMessageDelta {\n        delta\n      }\n      ... on TextMessageReset {\n        reason\n      }\n      ... on SourceCited {\n        citation {\n          number\n          title\n          quote\n        }\n      }\n      ... on RunFailed {\n        error {\n          code\n          message\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').ResearchTeamDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SearchTwice($first: String!, $second: String!) {\n    first: search(query: $first, first: 3) { ...Hits }\n    second: search(query: $second, first: 3) { ...Hits }\n  }\n  fragment Hits on SearchConnection {\n    edges {\n      score\n      node {\n        text\n        document {\n          externalId\n          title\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').SearchTwiceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription E2eChat($input: StartChatInput!) {\n    chat(input: $input) {\n      __typename\n      seq\n      ... on TextMessageDelta { delta }\n      ... on SourceCited { citation { number quote title passage { text } } }\n      ... on RunFinished { run { status ... on ChatRun { reply { text finishReason citations { number quote } } conversation { title } } } }\n      ... on RunFailed { error { code message } }\n    }\n  }\n"): typeof import('./graphql.ts').E2eChatDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
