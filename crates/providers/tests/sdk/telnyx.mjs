// What npm's telnyx sends, call by call in the order of telnyx.rs: node telnyx.mjs BASE_URL, with SDK_FOLDER in the environment.
import { createRequire } from 'node:module';

const { default: Telnyx } = createRequire(process.env.SDK_FOLDER + '/')('telnyx');
const client = new Telnyx({ apiKey: 'KEYtest', baseURL: process.argv[2], maxRetries: 0, timeout: 10_000 });
const id = '1293384261075731499';

// 7.20 and later have no resource for it: the path is asked for by hand.
const status = (query) =>
  client.sipRegistrationStatus?.retrieve(query) ?? client.get('/sip_registration_status', { query });

const all = async (list) => {
  const items = [];
  for await (const item of list) items.push(item);
  return items;
};

await status({ credential_type: 'uac_external_credential', connection_id: id });
await status({ credential_type: 'telephony_credential', username: 'gencred+x y' });
await status({ credential_type: 'sip_credential_connection', username: 'office1' });

await all(
  client.uacConnections.list({
    filter: { connection_name: { contains: 'off' }, fqdn: 'a.uac.telnyx.com', outbound_voice_profile_id: '17' },
    sort: '-connection_name',
    'page[size]': 2,
  }),
);
await client.uacConnections.retrieve(id);
await client.uacConnections.create({
  connection_name: 'Office PBX ü',
  external_uac_settings: {
    proxy: 'sip:pbx.example.com:5060',
    outbound_proxy: 'edge.example.com',
    username: 'telnyx-reg',
    auth_username: 'login',
    from_user: '1001',
    expiration_sec: 600,
    password: 's3cret',
    transport: 'TLS',
  },
  internal_uac_settings: { destination_uri: '1006@assistant-abc123.sip.telnyx.com' },
});
await client.uacConnections.update(id, { active: false, external_uac_settings: { outbound_proxy: null } });
await client.uacConnections.delete(id);

await client.credentialConnections.retrieve(id);
await client.credentialConnections.actions.checkRegistrationStatus(id);
await all(client.externalConnections.list({ 'page[size]': 250 }));
await client.externalConnections.retrieve(id);
await all(client.externalConnections.logMessages.list({ filter: { external_connection_id: id }, 'page[size]': 250 }));
await client.externalConnections.logMessages.retrieve(id);
await client.siprecConnectors.retrieve('my rec/1');
