const search = `# One search. Press the arrow.
query Search {
  search(
    query: "how do I resume a stream after a disconnect?"
    first: 5
  ) {
    edges {
      score
      highlights
      node { text document { title url } }
    }
    timings { embedMs retrieveMs totalMs }
  }
}
`;

const searches = `# Searches of one operation share
# one embeddings call and one SQL statement.
query Searches {
  limits: search(
    query: "which limits are there?", first: 2
  ) { ...Hits }
  citations: search(
    query: "how are answers cited?", first: 2
  ) { ...Hits }
  files: search(
    query: "which files can be ingested?", first: 2
  ) { ...Hits }
}

fragment Hits on SearchConnection {
  nodes { document { title } text }
  timings { totalMs }
}
`;

const chat = `# A cited answer, as it is written. GraphiQL shows
# the newest event: textSoFar has the whole text.
subscription Chat {
  chat(input: {
    message: "Does a disconnect cancel a run?"
    retrieval: {}
  }) {
    __typename
    seq
    cursor
    ... on TextMessageDelta { textSoFar }
    ... on SourceCited {
      citation { number quote title }
    }
    ... on RunFinished {
      run {
        ... on ChatRun {
          reply {
            text
            citations { number quote title }
          }
        }
      }
    }
    ... on RunFailed { error { code message } }
  }
}
`;

const ingest = `# Documents go in as a run. Leave out \`finished\`
# to be answered at once, and follow runEvents.
mutation Ingest {
  startIngest(input: {
    documents: [
      {
        externalId: "tide-tables"
        title: "Tide tables"
        text: "Spring tides come after a full moon."
        metadata: { topic: "sea" }
      }
    ]
  }) {
    run {
      finished {
        status
        documentsDone
        documentsSkipped
        failures { externalId message }
      }
    }
  }
}
`;

const summary = `# The hits come first; the summary follows
# when it is written.
query DeferredSummary {
  search(query: "how are answers cited?", first: 3) {
    nodes { text }
    ... @defer {
      summary(maxWords: 60) {
        text
        citations { number quote }
        model
      }
    }
  }
}
`;

/** What a person finds when GraphiQL opens for the first time; lines fit into the editor of a common screen. */
export const graphiqlTabs = [search, searches, chat, ingest, summary].map((query) => ({ query }));
