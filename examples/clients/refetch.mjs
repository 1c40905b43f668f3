// A client that handles conflicts well, with fetch: node refetch.mjs URL
//
// It renames an item, by the version that it read, and places one order. After a conflict it reads
// the item again and applies its change to that; the order keeps its key through all tries.
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";

const MOST_TRIES = 5;
const [SHORTEST, LONGEST] = [100, 5_000]; // bounds of the backoff, in milliseconds
// Refusals that may pass when the request is repeated. Others will not.
const TRY_AGAIN = new Set([409, 412, 429, 503]);

const url = process.argv[2];

async function send(method, path, body, headers = {}) {
  const response = await fetch(url + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function renameItem() {
  const read = await send("GET", "/items/1");
  if (read.status !== 200) return read;
  const item = { ...JSON.parse(read.text), name: "lamp, by JavaScript" };
  return send("PUT", "/items/1", item, { "if-match": read.headers.get("etag") });
}

async function insist(what, attempt) {
  let outcome;
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    // Without a response the request may have been applied, or not.
    const response = await attempt().catch((error) => void (outcome = error.cause ?? error));
    if (response) {
      outcome = response.status;
      if (outcome < 400) return console.log(`${what}: ${outcome}, tries: ${tries}`);
      if (!TRY_AGAIN.has(outcome)) throw new Error(`${what}: ${outcome} ${response.text}`);
    }
    if (tries < MOST_TRIES) await setTimeout(askedToWait(response) + fullJitter(tries));
  }
  console.error(`${what}: gave up after ${MOST_TRIES} tries: ${outcome}`);
  process.exit(1);
}

// Retry-After in milliseconds, whichever of its two forms it has.
function askedToWait(response) {
  const value = response?.headers.get("retry-after") ?? "0";
  return /^\d+$/.test(value) ? 1_000 * Number(value) : Math.max(0, Date.parse(value) - Date.now());
}

// By chance up to a bound that doubles, so that clients do not come back as one herd.
function fullJitter(tries) {
  return Math.random() * Math.min(LONGEST, SHORTEST * 2 ** tries);
}

await insist("item", renameItem);
const key = randomUUID(); // One for all tries: it is one order.
await insist("order", () => send("POST", "/orders", { item_id: 1 }, { "idempotency-key": key }));
