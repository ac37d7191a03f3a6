CREATE TABLE "document_popularity" (
	"tenant" text NOT NULL,
	"collection_id" uuid NOT NULL,
	"document_id" uuid NOT NULL,
	"level" double precision NOT NULL,
	CONSTRAINT "document_popularity_tenant_document_id_pk" PRIMARY KEY("tenant","document_id")
);
--> statement-breakpoint
CREATE TABLE "interactions" (
	"tenant" text NOT NULL,
	"id" uuid NOT NULL,
	"profile_id" uuid NOT NULL,
	"collection_id" uuid NOT NULL,
	"document_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "interactions_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "profiles" (
	"tenant" text NOT NULL,
	"id" uuid NOT NULL,
	"external_id" text NOT NULL,
	"interests" text[] NOT NULL,
	"metadata" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "profiles_tenant_id_pk" PRIMARY KEY("tenant","id"),
	CONSTRAINT "profiles_external_id" UNIQUE("tenant","external_id")
);
--> statement-breakpoint
ALTER TABLE "document_popularity" ADD CONSTRAINT "document_popularity_document" FOREIGN KEY ("tenant","document_id") REFERENCES "public"."documents"("tenant","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "interactions" ADD CONSTRAINT "interactions_profile" FOREIGN KEY ("tenant","profile_id") REFERENCES "public"."profiles"("tenant","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "interactions" ADD CONSTRAINT "interactions_document" FOREIGN KEY ("tenant","document_id") REFERENCES "public"."documents"("tenant","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "document_popularity_highest" ON "document_popularity" USING btree ("tenant","collection_id","level");--> statement-breakpoint
CREATE INDEX "interactions_of_profile" ON "interactions" USING btree ("tenant","profile_id","collection_id","kind","at");--> statement-breakpoint
CREATE INDEX "interactions_with_document" ON "interactions" USING btree ("tenant","document_id","profile_id","kind");