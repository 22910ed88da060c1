// SPDX-License-Identifier: MIT
//
// The stock client of Socket.IO against sio-echo, with default options and over each
// transport alone:  node sio_stock.mjs FOLDER-WITH-NODE_MODULES PORT
// Prints a line a case; the exit status says whether all was as it should be.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

const [folder, port] = process.argv.slice(2);
const { io } = createRequire(path.resolve(folder, "package.json"))("socket.io-client");
const url = `http://127.0.0.1:${port}`;
const WAIT = 30000 * Number(process.env.SLOW ?? 1);

function heard(socket, event) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event}`)), WAIT);
    socket.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}

function open(options, space = "") {
  return io(url + space, { forceNew: true, reconnectionDelay: 50, ...options });
}

async function talks(options) {
  const socket = open({ ...options, auth: { token: "abc" } });
  assert.deepEqual(await heard(socket, "auth"), [{ token: "abc" }]);
  for (const args of [[1, "2", { 3: [true] }], [], ["\u{1f600}\u0000\\"],
    [Buffer.from([1, 2, 3]), "x", { b: Buffer.alloc(700000, 7) }]]) {
    const back = heard(socket, "message-back");
    socket.emit("message", ...args);
    assert.deepEqual(await back, args);
  }
  assert.deepEqual(await socket.timeout(WAIT).emitWithAck("message-with-ack", Buffer.from([4])),
    Buffer.from([4]));
  // Many at once, in order, through the upgrade as well.
  const got = [];
  const all = new Promise((resolve) => {
    socket.on("message-back", (n) => got.push(n) === 200 && resolve());
  });
  for (let n = 0; n < 200; n++) socket.emit("message", n);
  await all;
  assert.deepEqual(got, [...got.keys()]);
  // Pings are answered for longer than a session would live without.
  await new Promise((resolve) => setTimeout(resolve, 3600));
  assert.ok(socket.connected);
  assert.equal(socket.io.engine.transport.name, (options.transports ?? ["websocket"])[0]);
  socket.close();
}

// Ended without 41 it comes back, with 41 it does not; at once, so that one that
// is moving over to a WebSocket meets it, too.
async function ends(options) {
  const socket = open(options);
  await heard(socket, "connect");
  let gone = heard(socket, "disconnect");
  let back = heard(socket, "connect");
  socket.emit("end");
  assert.notEqual((await gone)[0], "io server disconnect");
  await back;
  gone = heard(socket, "disconnect");
  socket.emit("end-for-good");
  assert.equal((await gone)[0], "io server disconnect");
  assert.ok(!socket.active);
}

async function spaces(options) {
  const wrong = open(options, "/random");
  const custom = open(options, "/custom");
  const [[error], auth] = await Promise.all([heard(wrong, "connect_error"), heard(custom, "auth")]);
  assert.equal(error.message, "Invalid namespace");
  assert.deepEqual(auth, [{}]);
  wrong.close();
  custom.close();
}

for (const [name, options] of [["default", {}], ["polling", { transports: ["polling"] }],
  ["websocket", { transports: ["websocket"] }]]) {
  for (const act of [talks, ends, spaces]) {
    await act(options);
    console.log(`${name}: ${act.name}`);
  }
}
process.exit(0);
