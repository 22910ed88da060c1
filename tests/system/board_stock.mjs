// SPDX-License-Identifier: MIT
//
// board by the stock client of Socket.IO, with default options and over each transport
// alone:  node board_stock.mjs FOLDER-WITH-NODE_MODULES PORT PICTURE ACT[,ACT..] [CA]
// With the certificate CA it is over TLS.  What it wants done to the server it says (node_play.h); the exit status says whether all
// was as it should be.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [folder, port, pictureFile, acts, ca] = process.argv.slice(2);
const { io } = createRequire(path.resolve(folder, "package.json"))("socket.io-client");
const url = `${ca ? "https" : "http"}://127.0.0.1:${port}`;
const tls = ca ? { ca: readFileSync(ca) } : {};
const picture = readFileSync(pictureFile);
const WAIT = 30000 * Number(process.env.SLOW ?? 1);
const PASSWORD = "geheim-123";

// The next event of that name; those that came before it was asked for count, in order.
class Person {
  constructor(options, auth) {
    this.waiting = [];
    this.came = [];
    this.socket = io(url, { forceNew: true, reconnectionDelay: 50, ...tls, ...options, auth });
    this.socket.onAny((...event) => this.hear(event));
    for (const own of ["connect", "disconnect"]) {
      this.socket.on(own, (...args) => this.hear([own, ...args]));
    }
  }

  hear(event) {
    const i = this.waiting.findIndex((w) => w.name === event[0]);
    if (i < 0) this.came.push(event);
    else this.waiting.splice(i, 1)[0].resolve(event.slice(1));
  }

  next(name) {
    const i = this.came.findIndex((e) => e[0] === name);
    if (i >= 0) return Promise.resolve(this.came.splice(i, 1)[0].slice(1));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${name}; came: ${JSON.stringify(this.came)}`)), WAIT);
      this.waiting.push({ name, resolve: (args) => { clearTimeout(timer); resolve(args); } });
    });
  }

  // Its answer, once its acknowledgement said the same.
  async ask(answer, ...event) {
    const acked = new Promise((resolve) => this.socket.emit(...event, (...args) => resolve(args)));
    const args = await this.next(answer);
    const [status] = await acked;
    assert.ok(status === 1 || status === -1);
    return args;
  }

  async logIn(name) {
    const [status, , more] = await this.ask("auth-response", "auth-request", name, PASSWORD);
    assert.equal(status, 1);
    return more.token;
  }
}

async function meet(options, tag) {
  const author = new Person(options), asker = new Person(options);
  const names = [`${tag}-author`, `${tag}-asker`];
  for (const [i, person] of [author, asker].entries()) {
    assert.equal((await person.ask("register-response", "register", names[i], PASSWORD))[0], 1);
  }
  // The token of one goes with CONNECT from now on, as a page does it.
  author.socket.auth = { token: await author.logIn(names[0]) };
  asker.socket.auth = { token: await asker.logIn(names[1]) };
  const [anons] = await author.ask("new-anons-response", "new-anons", "Bicycle", "red \u{1f6b2}");
  const [, chat, ok] = await asker.ask("new-chat-response", "new-chat", anons);
  assert.equal(ok, "OK");
  assert.deepEqual(await author.next("chat-added"), [anons, chat, names[1], "Bicycle"]);
  for (const person of [author, asker]) {
    assert.deepEqual(await person.ask("join-chat-response", "join-chat", anons, chat), [anons, chat, "OK"]);
  }
  return { author, asker, names, anons, chat };
}

async function talks(options, tag) {
  const { author, asker, names, anons, chat } = await meet(options, tag);
  const text = "Hello \u{1f600} <b>\"\\\n\u2028";

  assert.deepEqual(await asker.ask("chat-response", "chat-msg", anons, chat, text), [1, "OK"]);
  const said = await author.next("chat-msg");
  assert.deepEqual([said[1], said[2], said[3], said[5]], [anons, chat, names[1], text]);
  assert.deepEqual(await asker.next("chat-msg"), said);

  assert.deepEqual(await author.ask("chat-response", "chat-img", anons, chat, "bike.png", "image/png", picture), [1, "OK"]);
  const shown = await asker.next("chat-img");
  assert.deepEqual(shown.slice(1, 4), [anons, chat, names[0]]);
  assert.deepEqual(shown.slice(5, 7), ["bike.png", "image/png"]);
  assert.ok(Buffer.from(shown[7]).equals(picture));
  const fetched = await asker.ask("image", "get-image", shown[0]);
  assert.ok(Buffer.from(fetched[3]).equals(picture));

  // Many at once, in order, through the upgrade as well.
  for (let n = 0; n < 100; n++) author.socket.emit("chat-msg", anons, chat, `n ${n}`);
  for (let n = 0; n < 100; n++) assert.equal((await asker.next("chat-msg"))[5], `n ${n}`);
  assert.equal(author.socket.io.engine.transport.name, (options.transports ?? ["polling", "websocket"]).at(-1));
  author.socket.close();
  asker.socket.close();
}

// Both come back by themselves, are logged in before anything else, and nothing is lost.
async function restarts(options, tag, how = "restart") {
  const { author, asker, names, anons, chat } = await meet(options, tag);

  await author.ask("chat-response", "chat-msg", anons, chat, "before");
  const last = (await author.next("chat-msg"))[0];
  await asker.next("chat-msg");
  for (const person of [author, asker]) person.came.length = 0;
  console.log(`do: ${how}`);
  for (const [i, person] of [author, asker].entries()) {
    assert.notEqual((await person.next("disconnect"))[0], "io server disconnect");
    await person.next("connect");
    const [status, , who] = await person.next("auth-response");
    assert.equal(status, 1);
    assert.equal(who.username, names[i]);
  }
  await author.ask("chat-response", "chat-msg", anons, chat, "while away");
  await asker.next("new-msg-notification");
  await asker.ask("join-chat-response", "join-chat", anons, chat);
  const [count, missed] = await asker.ask("chat-messages", "get-chat-messages", anons, chat, last);
  assert.equal(count, 1);
  assert.equal(missed[0].message_text, "while away");
  author.socket.close();
  asker.socket.close();
}

// The same without a word from the server: a poll, or a WebSocket, that was there breaks off.
const crashes = (options, tag) => restarts(options, tag, "crash");

// A client that stood still until it was taken for gone comes back by itself, as itself.
async function freezes(options, tag) {
  const person = new Person(options), name = `${tag}-frozen`;

  await person.ask("register-response", "register", name, PASSWORD);
  person.socket.auth = { token: await person.logIn(name) };
  if (options.transports === undefined && person.socket.io.engine.transport.name !== "websocket") {
    await new Promise((resolve) => person.socket.io.engine.once("upgrade", resolve));
  }
  person.came.length = 0;
  console.log(`do: freeze ${name}`);
  assert.notEqual((await person.next("disconnect"))[0], "io server disconnect");
  await person.next("connect");
  const [status, , who] = await person.next("auth-response");
  assert.equal(status, 1);
  assert.equal(who.username, name);
  assert.equal((await person.ask("new-anons-response", "new-anons", "Back", ""))[1], "OK");
  person.socket.close();
}

// With a notice, and for good.
async function kicks(options, tag) {
  const person = new Person(options), name = `${tag}-kicked`;

  await person.ask("register-response", "register", name, PASSWORD);
  await person.logIn(name);
  person.came.length = 0;
  console.log(`do: kick ${name}`);
  assert.equal((await person.next("notice")).length, 1);
  assert.equal((await person.next("disconnect"))[0], "io server disconnect");
  assert.ok(!person.socket.active);
}

for (const [name, options] of [["default", {}], ["polling", { transports: ["polling"] }],
  ["websocket", { transports: ["websocket"] }]]) {
  for (const act of acts.split(",")) {
    await { talks, restarts, crashes, freezes, kicks }[act](options, `${name}-${act}`);
    console.log(`${name}: ${act}`);
  }
}
process.exit(0);
