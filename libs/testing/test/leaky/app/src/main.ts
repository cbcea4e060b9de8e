import { createServer } from 'node:http';
import { intVar, loadConfig } from '@aigolos/runtime';
import { z } from 'zod';

// An app that shows a prompt in its metrics and says it in its log.
const { PORT } = loadConfig(z.object({ PORT: intVar }));
process.stdout.write('asked: [[words 3]]\n');
createServer((_, response) => response.end('requests_total{prompt="[[words 3]]"} 1\n')).listen(PORT, '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
