// What npm's @bitrix24/b24jssdk sends for some calls: node b24jssdk.mjs PORTAL_URL ACCESS SECRET CALLS, with SDK_FOLDER in the
// environment. CALLS is a JSON list of pairs, method and parameters. It speaks https only.
import { createRequire } from 'node:module';

const { B24Hook, B24OAuth } = createRequire(process.env.SDK_FOLDER + '/')('@bitrix24/b24jssdk');
const [portal, access, secret, calls] = process.argv.slice(2);
const endpoint = new URL('/rest', portal).href;

const clients = {
  webhook: () => B24Hook.fromWebhookUrl(`${endpoint}/${secret}`),
  token() {
    const lifetime = 3600;
    const expires = Math.floor(Date.now() / 1000) + lifetime;
    const token = { accessToken: secret, refreshToken: 'none', expires, expiresIn: lifetime, scope: 'telephony' };
    const place = { domain: new URL(portal).host, clientEndpoint: endpoint, serverEndpoint: endpoint };
    const account = { applicationToken: 'none', userId: 1, memberId: 'none', status: 'L' };
    return new B24OAuth({ ...token, ...place, ...account }, { clientId: 'none', clientSecret: 'none' });
  },
};
const client = clients[access]();
const results = [];
for (const [method, params] of JSON.parse(calls)) {
  const answer = await client.actions.v2.call.make({ method, params });
  results.push(answer.getData().result);
}
console.log(JSON.stringify(results));
