// SPDX-License-Identifier: MIT
//
// Somebody at a terminal: lines of contacts over a plain connection.
import { connect } from "node:net";
import { createInterface } from "node:readline";

export class Terminal {
  constructor(port) {
    this.socket = connect(port, "127.0.0.1");
    this.lines = createInterface({ input: this.socket })[Symbol.asyncIterator]();
  }

  say(line) {
    this.socket.write(`${line}\n`);
  }

  // The next line that begins so.
  async hear(start) {
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) throw new Error(`the connection ended before ${start}`);
      if (value.startsWith(start)) return value;
    }
  }

  async ask(line, start) {
    this.say(line);
    return this.hear(start);
  }

  close() {
    this.socket.destroy();
  }
}
