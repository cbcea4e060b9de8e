import { describeEgress } from '@aigolos/egress/conformance';
import { createIdentityProvider } from './identity-provider.ts';

describeEgress('an identity provider', async (url, egress) => {
  const settings = {
    issuer: new URL(url),
    clientId: 'aigolos',
    clientSecret: 'secret',
    scope: 'openid',
    operatorClaim: 'groups',
    operatorValue: 'operators',
    allowed: { networks: [], hosts: [] },
    sessionSecret: 'a secret of thirty-two characters',
    sessionSeconds: 60,
    publicUrl: new URL('http://aigolos.test'),
  };
  return createIdentityProvider(settings, egress).begin();
});
