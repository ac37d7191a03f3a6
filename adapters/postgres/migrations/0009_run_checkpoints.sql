CREATE TABLE "run_checkpoints" (
	"tenant" text NOT NULL,
	"run_id" text NOT NULL,
	"key" text NOT NULL,
	"value" json NOT NULL,
	CONSTRAINT "run_checkpoints_tenant_run_id_key_pk" PRIMARY KEY("tenant","run_id","key")
);
--> statement-breakpoint
ALTER TABLE "run_checkpoints" ADD CONSTRAINT "run_checkpoints_tenant_run_id_runs_tenant_run_id_fk" FOREIGN KEY ("tenant","run_id") REFERENCES "public"."runs"("tenant","run_id") ON DELETE cascade ON UPDATE no action;