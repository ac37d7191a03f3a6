ALTER INDEX "passage_words_search" SET (fastupdate = off);--> statement-breakpoint
SELECT gin_clean_pending_list('passage_words_search');
