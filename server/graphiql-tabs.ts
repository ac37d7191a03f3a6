const search = `# One search. Press the arrow.
query Search {
  search(query: "how do I resume a stream after a disconnect?", first: 5) {
    edges {
      score
      highlights
      node { text document { title url } }
    }
    timings { embedMs retrieveMs totalMs }
  }
}
`;

const searches = `# Searches of one operation share one embeddings call and one SQL statement.
query Searches {
  limits: search(query: "which limits are there?", first: 2) { ...Hits }
  citations: search(query: "how are answers cited?", first: 2) { ...Hits }
  files: search(query: "which files can be ingested?", first: 2) { ...Hits }
}

fragment Hits on SearchConnection {
  nodes { document { title } text }
  timings { totalMs }
}
`;

const chat = `# A cited answer, as it is written. textSoFar shows the whole text, since GraphiQL keeps only the newest event.
subscription Chat {
  chat(input: { message: "What happens to a run when its client disconnects?", retrieval: {} }) {
    __typename
    seq
    cursor
    ... on TextMessageDelta { textSoFar }
    ... on SourceCited { citation { number quote title } }
    ... on RunFinished {
      run { ... on ChatRun { reply { text citations { number quote title } } } }
    }
    ... on RunFailed { error { code message } }
  }
}
`;

const ingest = `# Documents go in as a run. Leave out \`finished\` to be answered at once, and follow runEvents instead.
mutation Ingest {
  startIngest(input: {
    documents: [
      { externalId: "tide-tables", title: "Tide tables", text: "Spring tides come just after a full or a new moon.", metadata: { topic: "sea" } }
    ]
  }) {
    run { finished { status documentsDone documentsSkipped failures { externalId message } } }
  }
}
`;

const summary = `# The hits come first; the summary follows when it is written.
query DeferredSummary {
  search(query: "how are answers cited?", first: 3) {
    nodes { text }
    ... @defer {
      summary(maxWords: 60) { text citations { number quote } model }
    }
  }
}
`;

/** What a person finds when GraphiQL opens for the first time. */
export const graphiqlTabs = [search, searches, chat, ingest, summary].map((query) => ({ query }));
