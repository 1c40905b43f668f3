// Ten at once count in one document with pouchdb-upsert, each three times: PROXY SERVER.
import PouchDB from "pouchdb";
import upsert from "pouchdb-upsert";

PouchDB.plugin(upsert);
const [proxy, server] = process.argv.slice(2);
// Neither counts its tries.
setTimeout(() => { throw new Error("no end of conflicts"); }, 120_000).unref();
const answers = {};
const through = new PouchDB(`${proxy}/counters`, {
  async fetch(url, options) {
    const response = await PouchDB.fetch(url, options);
    if (options.method === "PUT" && String(url).endsWith("/visits")) {
      const whose = response.status !== 409 ? "written" : response.headers.get("fracas") ? "forced" : "real";
      answers[whose] = (answers[whose] ?? 0) + 1;
    }
    return response;
  },
});
await through.info();
await Promise.all(Array.from({ length: 10 }, async () => {
  for (let times = 0; times < 3; times++) {
    await through.upsert("visits", (doc) => ({ ...doc, count: (doc.count ?? 0) + 1 }));
  }
}));
const stored = await new PouchDB(`${server}/counters`).get("visits");
console.log(JSON.stringify({ answers, count: stored.count, revision: Number(stored._rev.split("-")[0]) }));
