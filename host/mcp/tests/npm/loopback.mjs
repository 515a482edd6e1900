// Keeps a server on loopback, at `PORT` or a free port, and says where: `http://127.0.0.1:PORT` on
// stdout. Servers that are made for development listen on every address of the machine.
//
// Imported before the server: `node --import ./loopback.mjs SERVER`.
import net from "node:net";

const port = Number(process.env.PORT ?? 0);
const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (_, ...rest) {
  this.once("listening", () => console.log(`http://127.0.0.1:${this.address().port}`));
  return listen.call(this, port, "127.0.0.1", ...rest.filter((value) => typeof value === "function"));
};
