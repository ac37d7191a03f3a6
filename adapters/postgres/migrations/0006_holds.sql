CREATE TABLE "hold_accounts" (
	"tenant" text NOT NULL,
	"name" text NOT NULL,
	"resource" text NOT NULL,
	"day" date NOT NULL,
	"used" bigint DEFAULT 0 NOT NULL,
	"held" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "hold_accounts_tenant_name_resource_day_pk" PRIMARY KEY("tenant","name","resource","day")
);
--> statement-breakpoint
CREATE TABLE "holds" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"resource" text NOT NULL,
	"day" date NOT NULL,
	"accounts" text[] NOT NULL,
	"amount" bigint NOT NULL,
	"instance" text NOT NULL,
	"reclaimed_at" timestamp with time zone,
	CONSTRAINT "holds_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE INDEX "holds_of_instance" ON "holds" USING btree ("instance");