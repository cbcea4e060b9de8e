export { describeEgress } from './describe-egress.ts';
