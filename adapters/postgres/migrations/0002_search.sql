-- Scoring reads whole tsvectors: uncompressed they are read twice as fast, out of line they keep the rows narrow.
alter table passage_words alter column words set storage external;
--> statement-breakpoint
-- Vectors have no most common values; looking for them would make every ANALYZE read them all.
alter table passage_vectors alter column embedding set statistics 0;
--> statement-breakpoint
-- One index for each length of vector; CollectionStore.create adds those of other models in the same form.
create index if not exists passage_vectors_nearest_384 on passage_vectors
  using hnsw ((embedding::vector(384)) vector_cosine_ops) where dimensions = 384;
--> statement-breakpoint
create index if not exists passage_vectors_nearest_1536 on passage_vectors
  using hnsw ((embedding::vector(1536)) vector_cosine_ops) where dimensions = 1536;
