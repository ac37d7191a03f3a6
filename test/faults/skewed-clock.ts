/** Imported before everything else by a gateway whose clock shall be wrong: see fleet.ts. */
const skewMs = Number(process.env['SLUICE_TEST_SKEW_MS']);
const now = Date.now;
Date.now = () => now() + skewMs;
