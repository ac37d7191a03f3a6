CREATE TABLE "collections" (
	"tenant" text NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"embedding_model" text NOT NULL,
	"dimensions" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "collections_tenant_id_pk" PRIMARY KEY("tenant","id"),
	CONSTRAINT "collections_name" UNIQUE("tenant","name")
);
--> statement-breakpoint
CREATE TABLE "conversations" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"title" text,
	"end_user" text,
	"created_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "conversations_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "messages" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"conversation_id" text NOT NULL,
	"parent_id" text,
	"role" text NOT NULL,
	"parts" json NOT NULL,
	"object" json,
	"citations" json NOT NULL,
	"verification" json,
	"finish_reason" text,
	"model" text,
	"usage" json,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "messages_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "documents" (
	"tenant" text NOT NULL,
	"id" uuid NOT NULL,
	"collection_id" uuid NOT NULL,
	"external_id" text NOT NULL,
	"title" text,
	"url" text,
	"metadata" jsonb NOT NULL,
	"content_hash" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "documents_tenant_id_pk" PRIMARY KEY("tenant","id"),
	CONSTRAINT "documents_external_id" UNIQUE("tenant","collection_id","external_id")
);
--> statement-breakpoint
CREATE TABLE "passage_vectors" (
	"tenant" text NOT NULL,
	"collection_id" uuid NOT NULL,
	"document_id" uuid NOT NULL,
	"passage_id" uuid NOT NULL,
	"dimensions" integer NOT NULL,
	"embedding" vector NOT NULL,
	CONSTRAINT "passage_vectors_tenant_passage_id_pk" PRIMARY KEY("tenant","passage_id")
);
--> statement-breakpoint
CREATE TABLE "passage_words" (
	"tenant" text NOT NULL,
	"collection_id" uuid NOT NULL,
	"document_id" uuid NOT NULL,
	"passage_id" uuid NOT NULL,
	"words" "tsvector" NOT NULL,
	CONSTRAINT "passage_words_tenant_passage_id_pk" PRIMARY KEY("tenant","passage_id")
);
--> statement-breakpoint
CREATE TABLE "passages" (
	"tenant" text NOT NULL,
	"id" uuid NOT NULL,
	"document_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"text" text NOT NULL,
	CONSTRAINT "passages_tenant_id_pk" PRIMARY KEY("tenant","id"),
	CONSTRAINT "passages_position" UNIQUE("tenant","document_id","position")
);
--> statement-breakpoint
CREATE TABLE "unembedded_passages" (
	"passage_id" uuid NOT NULL,
	"tenant" text NOT NULL,
	CONSTRAINT "unembedded_passages_passage_id_tenant_pk" PRIMARY KEY("passage_id","tenant")
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"tenant" text NOT NULL,
	"run_id" text NOT NULL,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"attempt" integer NOT NULL,
	"input_hash" text NOT NULL,
	"input" json,
	"end_user" text,
	"metadata" jsonb NOT NULL,
	"conversation_id" text,
	"detail" json NOT NULL,
	"usage" json NOT NULL,
	"error" json,
	"last_seq" integer,
	"created_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	CONSTRAINT "runs_tenant_run_id_pk" PRIMARY KEY("tenant","run_id")
);
--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_tenant_conversation_id_conversations_tenant_id_fk" FOREIGN KEY ("tenant","conversation_id") REFERENCES "public"."conversations"("tenant","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "documents" ADD CONSTRAINT "documents_collection" FOREIGN KEY ("tenant","collection_id") REFERENCES "public"."collections"("tenant","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "passage_vectors" ADD CONSTRAINT "passage_vectors_passage" FOREIGN KEY ("tenant","passage_id") REFERENCES "public"."passages"("tenant","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "passage_words" ADD CONSTRAINT "passage_words_passage" FOREIGN KEY ("tenant","passage_id") REFERENCES "public"."passages"("tenant","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "passages" ADD CONSTRAINT "passages_document" FOREIGN KEY ("tenant","document_id") REFERENCES "public"."documents"("tenant","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unembedded_passages" ADD CONSTRAINT "unembedded_passages_passage" FOREIGN KEY ("tenant","passage_id") REFERENCES "public"."passages"("tenant","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "conversations_by_age" ON "conversations" USING btree ("tenant","created_at","id");--> statement-breakpoint
CREATE INDEX "conversations_by_user" ON "conversations" USING btree ("tenant","end_user","created_at","id");--> statement-breakpoint
CREATE INDEX "messages_by_conversation" ON "messages" USING btree ("tenant","conversation_id","created_at","id");--> statement-breakpoint
CREATE INDEX "documents_by_age" ON "documents" USING btree ("tenant","collection_id","updated_at","id");--> statement-breakpoint
CREATE INDEX "passage_vectors_by_document" ON "passage_vectors" USING btree ("tenant","collection_id","document_id");--> statement-breakpoint
CREATE INDEX "passage_words_by_collection" ON "passage_words" USING btree ("tenant","collection_id");--> statement-breakpoint
CREATE INDEX "passage_words_search" ON "passage_words" USING gin ("words");--> statement-breakpoint
CREATE INDEX "runs_by_age" ON "runs" USING btree ("tenant","created_at","run_id");--> statement-breakpoint
CREATE INDEX "runs_by_user" ON "runs" USING btree ("tenant","end_user","created_at","run_id");--> statement-breakpoint
CREATE INDEX "runs_under_way" ON "runs" USING btree ("tenant","conversation_id") WHERE "runs"."status" in ('QUEUED', 'RUNNING');