CREATE TABLE "embedding_cache" (
	"tenant" text NOT NULL,
	"model" text NOT NULL,
	"dimensions" integer NOT NULL,
	"hash" "bytea" NOT NULL,
	"vector" "bytea" NOT NULL,
	"tokens" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_used" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "embedding_cache_tenant_model_dimensions_hash_pk" PRIMARY KEY("tenant","model","dimensions","hash")
);
--> statement-breakpoint
CREATE INDEX "embedding_cache_last_used" ON "embedding_cache" USING btree ("last_used");--> statement-breakpoint
ALTER TABLE "embedding_cache" ALTER COLUMN "vector" SET STORAGE EXTERNAL;
