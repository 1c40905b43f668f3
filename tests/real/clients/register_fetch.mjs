// Registers a username with Node's own fetch and a retry loop: URL USERNAME RETRIES.
import { setTimeout } from "node:timers/promises";

const [url, username, retries] = process.argv.slice(2);
const start = performance.now();
const statuses = [];
let response;
for (;;) {
  response = await fetch(`${url}/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username }),
  });
  await response.arrayBuffer();
  statuses.push(response.status);
  if (response.status !== 409 || statuses.length > Number(retries)) break;
  await setTimeout(1000 * Number(response.headers.get("retry-after") ?? 0));
}
console.log(JSON.stringify({
  statuses,
  fracas: response.headers.get("fracas"),
  seconds: (performance.now() - start) / 1000,
}));
