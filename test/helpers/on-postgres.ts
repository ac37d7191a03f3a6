import { inject } from 'vitest';
import { useServer } from './test-database.ts';

/* Before each test file of the projects that run on PostgreSQL. The helpers themselves know no Vitest: benches use them too. */
useServer(inject('postgres'));
