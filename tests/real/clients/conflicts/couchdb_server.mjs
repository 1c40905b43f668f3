// pouchdb-server, in memory. Its command line takes port 0 for none; its configuration file does not.
import { writeFileSync } from "node:fs";
import { announce } from "./announce.mjs";

announce();
writeFileSync("config.json", JSON.stringify({ httpd: { bind_address: "127.0.0.1", port: 0 } }));
process.argv.push("--in-memory");
await import("pouchdb-server");
