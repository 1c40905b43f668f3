// The blob service of Azurite, in memory.
import { announce } from "./announce.mjs";

announce();
process.argv.push("--inMemoryPersistence", "--blobHost", "127.0.0.1", "--blobPort", "0", "--silent");
process.argv.push("--disableTelemetry", "--skipApiVersionCheck");
await import("azurite/dist/src/blob/main.js");
