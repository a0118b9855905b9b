// What npm's telnyx sends for one scenario: node telnyx.mjs BASE_URL SCENARIO, with SDK_FOLDER in the environment.
import { createRequire } from 'node:module';

const { default: Telnyx } = createRequire(process.env.SDK_FOLDER + '/')('telnyx');
const [baseURL, scenario] = process.argv.slice(2);
const client = new Telnyx({ apiKey: 'KEYtest', baseURL, maxRetries: 0, timeout: 10_000 });

// 7.20 and later have no resource for it: the path is asked for by hand.
const status = (query) =>
  client.sipRegistrationStatus?.retrieve(query) ?? client.get('/sip_registration_status', { query });

const scenarios = {
  async status() {
    await status({ credential_type: 'uac_external_credential', connection_id: '1293384261075731499' });
  },
};
await scenarios[scenario]();
