import { describeEgress } from '@aigolos/egress/conformance';
import { exchange } from './exchange.ts';

describeEgress('a webhook', (url, egress) => {
  return exchange({ url, headers: {}, body: '{}' }, { egress, timeoutMs: 300 }, new AbortController().signal);
});
