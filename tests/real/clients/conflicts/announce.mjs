import { Server } from "node:net";

// Has a server that keeps its port to itself say where it serves.
export function announce() {
  const { listen } = Server.prototype;
  Server.prototype.listen = function (...where) {
    this.once("listening", () => console.log(`serves http://127.0.0.1:${this.address().port}`));
    return listen.apply(this, where);
  };
}
