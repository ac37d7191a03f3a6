CREATE TABLE "instances" (
	"id" text PRIMARY KEY NOT NULL,
	"alone" boolean NOT NULL,
	"lease_until" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "instance" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "losses" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "when_unwatched" text DEFAULT 'FINISH' NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "timeout_ms" integer;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "cancel_reason" text;--> statement-breakpoint
CREATE INDEX "runs_of_conversation" ON "runs" USING btree ("tenant","conversation_id");--> statement-breakpoint
CREATE INDEX "runs_by_end" ON "runs" USING btree ("finished_at") WHERE "runs"."finished_at" is not null;--> statement-breakpoint
CREATE INDEX "runs_of_instance" ON "runs" USING btree ("instance") WHERE "runs"."status" in ('QUEUED', 'RUNNING');