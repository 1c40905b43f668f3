// Counts with pouchdb-upsert, which reads before each write: against $FRACAS_URL.
import PouchDB from 'pouchdb';
import upsert from 'pouchdb-upsert';

PouchDB.plugin(upsert);
const counters = new PouchDB(`${process.env.FRACAS_URL}/counters`);
await counters.info();
for (let times = 0; times < 5; times++) {
  await counters.upsert(`visits-${times}`, (doc) => ({ ...doc, count: (doc.count ?? 0) + 1 }));
  await counters.upsert(`visits-${times}`, (doc) => ({ ...doc, count: (doc.count ?? 0) + 1 }));
}
