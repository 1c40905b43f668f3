// Replicates a local database both ways with PouchDB, twice: PROXY SERVER.
import PouchDB from "pouchdb";

const [proxy, server] = process.argv.slice(2);
// Neither counts its tries.
setTimeout(() => { throw new Error("no end of conflicts"); }, 120_000).unref();
const answers = [];
const fetched = async (url, options) => {
  const response = await PouchDB.fetch(url, options);
  if (response.status === 409) answers.push(`${options.method} ${response.headers.get("fracas") ? "forced" : "real"}`);
  return response;
};
const local = new PouchDB("local");
const through = new PouchDB(`${proxy}/notes`, { fetch: fetched });
const direct = new PouchDB(`${server}/notes`);

async function documents(database) {
  const { rows } = await database.allDocs({ include_docs: true });
  return rows.map(({ doc }) => doc);
}

for (let n = 0; n < 30; n++) await local.put({ _id: `note-${n}`, text: `${n}` });
const pushed = await PouchDB.sync(local, through);
for (const doc of await documents(direct)) {
  if (Number(doc.text) % 3 === 0) await direct.put({ ...doc, text: `${doc.text}!` });
}
await local.put({ _id: "note-30", text: "30" });
const pulled = await PouchDB.sync(local, through);
const [here, there] = [await documents(local), await documents(direct)];
console.log(JSON.stringify({
  ok: [pushed.push.ok, pushed.pull.ok, pulled.push.ok, pulled.pull.ok],
  written: [pushed.push.docs_written, pulled.push.docs_written, pulled.pull.docs_written],
  documents: there.length,
  edited: there.filter(({ text }) => text.endsWith("!")).length,
  same: JSON.stringify(here) === JSON.stringify(there),
  answers,
}));
