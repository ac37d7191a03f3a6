CREATE TABLE "awaited_calls" (
	"tenant" text NOT NULL,
	"run_id" text NOT NULL,
	"call_id" text NOT NULL,
	"round" integer NOT NULL,
	"awaits" text NOT NULL,
	"tool" text NOT NULL,
	"arguments" json NOT NULL,
	"parameters" json NOT NULL,
	"reason" text,
	"answer" json,
	"asked_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"answered_at" timestamp with time zone,
	CONSTRAINT "awaited_calls_tenant_run_id_call_id_round_pk" PRIMARY KEY("tenant","run_id","call_id","round")
);
--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "parked_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "parked_ms" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "wait_expired" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "awaited_calls" ADD CONSTRAINT "awaited_calls_tenant_run_id_runs_tenant_run_id_fk" FOREIGN KEY ("tenant","run_id") REFERENCES "public"."runs"("tenant","run_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "runs_parked" ON "runs" USING btree ("parked_at") WHERE "runs"."parked_at" is not null;