export { createEgress, type Egress, EgressRefusedError } from './egress.ts';
export { createEgressFetch, type EgressFetch } from './egress-fetch.ts';
export { createEgressRules, type EgressPolicy, type EgressRules } from './egress-rules.ts';
export { createNamedHostFetch } from './named-host-fetch.ts';
