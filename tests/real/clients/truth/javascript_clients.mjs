// Plays one JavaScript retry library: CLIENT SITUATION…, against $FRACAS_URL.
import axios from 'axios';
import axiosRetry from 'axios-retry';
import got from 'got';
import { Octokit } from '@octokit/core';
import { retry } from '@octokit/plugin-retry';

const url = process.env.FRACAS_URL;
const item = { name: 'lamp', price_in_cents: 2900 };

const clients = {
  // A condition of the user's own is asked of every method, POST too.
  'axios-retry': (options = {}) => {
    const client = axios.create({ baseURL: url });
    axiosRetry(client, { retries: 3, retryCondition: (error) => error.response?.status === 409, ...options });
    return (method, path, data, headers) => client.request({ method, url: path, data, headers });
  },
  'axios-retry-exponential': () => clients['axios-retry']({ retryDelay: axiosRetry.exponentialDelay }),
  got: () => (method, path, json, headers) =>
    got(path.slice(1), {
      prefixUrl: url, method, json, headers, throwHttpErrors: false,
      retry: { limit: 3, statusCodes: [409] },
    }),
  octokit: () => {
    const client = new (Octokit.plugin(retry))({
      baseUrl: url, retry: { retryAfterBaseValue: 100 }, log: { debug() {}, info() {}, warn() {}, error() {} },
    });
    return (method, path, data, headers) => client.request(`${method} ${path}`, { data, headers });
  },
};

async function put(send, name, id, headers = {}) {
  return send('PUT', `/items/${id}?case=${name}`, { ...item, price_in_cents: id }, headers);
}

const situations = {
  busy: (send) => Promise.allSettled([10, 11, 12, 13, 14, 15].map((id) => put(send, 'busy', id))),
  persistent: (send) => put(send, 'persistent', 2),
  wait: (send) => put(send, 'wait', 3),
  stale: async (send) => {
    const etag = (await fetch(`${url}/items/1`)).headers.get('etag');
    await put(send, 'stale', 1, { 'If-Match': etag });
  },
  order: (send) => send('POST', '/orders?case=order', { item_id: 1 }, {}),
  taken: (send) => send('POST', '/register?case=taken', { username: 'ada' }, {}),
};

const [name, ...played] = process.argv.slice(2);
const send = clients[name]();
for (const situation of played) {
  await situations[situation](send).catch((error) => console.log(`${situation}: ${error.message}`));
}
