CREATE TABLE "usage" (
	"tenant" text NOT NULL,
	"model" text NOT NULL,
	"minute" timestamp with time zone NOT NULL,
	"input_tokens" bigint NOT NULL,
	"cached_input_tokens" bigint NOT NULL,
	"output_tokens" bigint NOT NULL,
	"calls" bigint NOT NULL,
	"cost_usd" double precision,
	"estimated" boolean NOT NULL,
	CONSTRAINT "usage_tenant_minute_model_pk" PRIMARY KEY("tenant","minute","model")
);
