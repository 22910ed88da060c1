// SPDX-License-Identifier: MIT
//
// What the page knows (web/model), without a browser and against a server that breaks the
// connection exactly where it hurts: that a message is stored once and none is missed.
import assert from "node:assert/strict";
import { test } from "node:test";

// ---- the little of a browser that the models want ----

class Storage extends Map {
  getItem(key) { return this.get(key) ?? null; }
  setItem(key, value) { this.set(key, String(value)); }
  removeItem(key) { this.delete(key); }
}

const { Connection, Lost } = await import("../../web/model/connection.js");
const { Login } = await import("../../web/model/login.js");
const { Chats } = await import("../../web/model/chats.js");
const { Room } = await import("../../web/model/room.js");

// Let everything happen that can happen now: all of it is microtasks.
const settle = () => new Promise((done) => setTimeout(done));

const PAGE = 100; // messages that the server lists at once

// ---- the server, and socket.io-client as far as the page uses it ----

class Server {
  stored = [];           // [author, text], the id is the place from 1
  heard = [];            // names of events
  breakAt = () => false; // called with (event, "before" or "behind"): lose the connection?
  refuse = null;         // why the next message is not taken
  token = "good";

  io = (options) => (this.socket = new Socket(this, options));

  say(...event) {
    if (this.socket.up)
      this.socket.any(...event);
  }

  add(author, text) {
    this.stored.push([author, text]);
    return this.stored.length;
  }

  entry(id) {
    const [username, message_text] = this.stored[id - 1];

    return { message_id: id, anons_id: 1, chat_id: 7, username, message_date: id, message_text };
  }

  hear(name, args) {
    this.heard.push(name);
    if (this.breakAt(name, "before"))
      return this.socket.lose();
    this[name]?.(...args);
    if (this.breakAt(name, "behind"))
      this.socket.lose();
  }

  "get-user-chats"() {
    this.say("user-chats", 1, [{ anons_id: 1, chat_id: 7, AllMsgs: 0, NewMsgs: 3, login: "bob",
      title: "A thing", online: 1 }]);
  }

  "join-chat"(anons, chat) {
    this.say("join-chat-response", anons, chat, "OK");
  }

  "get-chat-messages"(anons, chat, after) {
    const ids = this.stored.map((_, i) => i + 1);
    const wanted = after === undefined ? ids.slice(-PAGE)
      : ids.filter((id) => id > after).slice(0, PAGE);

    this.say("chat-messages", wanted.length, wanted.map((id) => this.entry(id)));
  }

  "chat-msg"(anons, chat, text) {
    if (this.refuse !== null) {
      this.say("chat-response", -1, this.refuse);
      this.refuse = null;
      return;
    }
    this.live("alice", text);
    if (!this.breakAt("answer"))
      this.say("chat-response", 1, "OK");
    else
      this.socket.lose();
  }

  live(author, text) {
    const id = this.add(author, text);

    if (!this.breakAt("echo"))
      this.say("chat-msg", id, 1, 7, author, id, text);
  }
}

class Socket {
  on_event = {};
  io = { engine: { readyState: "closed" } };
  up = false;

  constructor(server, options) { Object.assign(this, { server, options }); }
  on(name, fn) { this.on_event[name] = fn; }
  onAny(fn) { this.any = fn; }
  emit(name, ...args) { queueMicrotask(() => this.up && this.server.hear(name, args)); }
  disconnect() { return this; }

  connect() {
    this.options.auth(({ token }) => {
      this.up = true;
      this.on_event.connect();
      if (token !== undefined && token === this.server.token)
        this.any("auth-response", 1, "1", { username: "alice", token, expires: 0 });
      else if (token !== undefined)
        this.any("auth-response", -1, "Wrong");
    });
  }

  lose(reason = "transport close") {
    this.up = false;
    this.on_event.disconnect(reason);
  }
}

// Alice's page, logged in by its token, with the chat open.
async function open(server, kept = { username: "alice", token: "good" }) {
  globalThis.window = new EventTarget();
  globalThis.document = Object.assign(new EventTarget(), { hidden: false });
  globalThis.localStorage = new Storage();
  globalThis.sessionStorage ??= new Storage();
  sessionStorage.setItem("quintet-login", JSON.stringify(kept));
  const connection = new Connection(server.io);
  const login = new Login(connection), chats = new Chats(connection, login);
  const room = new Room(connection, login, chats);

  connection.open();
  await settle();
  room.open(7);
  await settle();
  return { connection, login, chats, room };
}

function fresh() {
  globalThis.sessionStorage = new Storage();
  return new Server();
}

async function reconnect(server) {
  server.breakAt = () => false;
  server.socket.connect();
  await settle();
}

const mine = (server) => server.stored.filter(([author]) => author === "alice").map(([, text]) => text);
const shown = (room) => room.history.sorted.map((message) => message.text);

// ---- messages on their way ----

test("a written message becomes the stored one, in the same row", async () => {
  const server = fresh(), { room } = await open(server);

  room.write("hello");
  const [entry] = room.outbox.of(7);
  await settle();
  assert.deepEqual(shown(room), ["hello"]);
  assert.equal(room.history.sorted[0].row, entry.key);
  assert.deepEqual(room.outbox.list, []);
});

for (const [where, breaks] of [
  ["before it was heard", (event, when) => event === "chat-msg" && when === "before"],
  ["behind it was stored", (event) => event === "echo" || event === "answer"],
  ["behind it was seen", (event) => event === "answer"],
])
  test(`lost ${where}: stored once`, async () => {
    const server = fresh(), { room } = await open(server);

    server.breakAt = breaks;
    room.write("one");
    room.write("two");
    await settle();
    assert.equal(room.outbox.list.length, 2);
    // What is shown twice would be read aloud twice.
    assert.equal(room.outbox.of(7).length + shown(room).length, 2);
    await reconnect(server);
    assert.deepEqual(mine(server), ["one", "two"]);
    assert.deepEqual(shown(room), ["one", "two"]);
    assert.deepEqual(room.outbox.list, []);
  });

test("the same text twice is two messages, also when the first is in doubt", async () => {
  const server = fresh(), { room } = await open(server);

  room.write("ha");
  await settle();
  server.breakAt = (event) => event === "echo" || event === "answer";
  room.write("ha");
  room.write("ha");
  await settle();
  await reconnect(server);
  assert.deepEqual(mine(server), ["ha", "ha", "ha"]);
  assert.deepEqual(shown(room), ["ha", "ha", "ha"]);
});

test("the same text twice is two messages, also when the second is in doubt", async () => {
  for (const first of ["answered", "in doubt"]) {
    const server = fresh(), { room } = await open(server);

    server.breakAt = (event) => first === "in doubt" && (event === "echo" || event === "answer");
    room.write("ha");
    room.write("ha");
    if (first === "in doubt") {
      await settle();
      server.socket.connect();
    }
    // The first one arrives, or is found; the second one is lost on its way.
    server.breakAt = (event, when) => event === "chat-msg" && when === "before" && mine(server).length === 1;
    await settle();
    assert.deepEqual(mine(server), ["ha"]);
    await reconnect(server);
    assert.deepEqual(mine(server), ["ha", "ha"]);
    assert.deepEqual(shown(room), ["ha", "ha"]);
  }
});

test("a message in doubt is found behind more than one page of others", async () => {
  const server = fresh(), { room } = await open(server);

  server.breakAt = (event) => event === "echo" || event === "answer";
  for (let i = 0; i < 2 * PAGE; i++)
    server.add("bob", `line ${i}`);
  room.write("late");
  await settle();
  await reconnect(server);
  assert.deepEqual(mine(server), ["late"]);
  assert.equal(shown(room).length, 2 * PAGE + 1);
});

test("a refused message stays, says why, and holds up nobody", async () => {
  const server = fresh(), { room } = await open(server);

  server.refuse = "Too many messages";
  room.write("first");
  room.write("second");
  await settle();
  assert.deepEqual(mine(server), ["second"]);
  const [entry] = room.outbox.of(7);
  assert.equal(entry.problem, "Too many messages");
  room.outbox.retry(entry.key);
  await settle();
  assert.deepEqual(mine(server), ["second", "first"]);
  assert.deepEqual(room.outbox.list, []);
});

test("what was not sent survives a reload", async () => {
  const server = fresh(), { room } = await open(server);

  server.socket.lose();
  room.write("later");
  const again = await open(server);
  await settle();
  assert.deepEqual(mine(server), ["later"]);
  assert.deepEqual(shown(again.room), ["later"]);
});

test("what does not fit into the browser's storage is sent all the same", async () => {
  const server = fresh(), { room } = await open(server);

  server.socket.lose();
  room.write("fits");
  sessionStorage.setItem = () => { throw new Error("full"); };
  room.write("does not");
  server.socket.connect();
  delete sessionStorage.setItem;
  await settle();
  assert.deepEqual(mine(server), ["fits", "does not"]);
  assert.deepEqual(room.outbox.list, []);
});

// ---- messages of others ----

test("a connection that breaks while older messages come leaves no gap", async () => {
  const server = fresh(), { room } = await open(server);
  const all = Array.from({ length: 3 * PAGE }, (_, i) => String(i + 1));
  let lists = 0;

  server.live("bob", "1");
  await settle();
  server.socket.lose();
  for (const text of all.slice(1, -1))
    server.add("bob", text);
  // The second list does not come any more, but before it a live message has.
  server.breakAt = (event, when) => {
    if (event !== "get-chat-messages" || when !== "before" || ++lists !== 2)
      return false;
    server.live("bob", all.at(-1));
    return true;
  };
  server.socket.connect();
  await settle();
  assert.deepEqual(shown(room), [...all.slice(0, PAGE + 1), all.at(-1)]);
  await reconnect(server);
  assert.deepEqual(shown(room), all);
});

test("unread messages are counted until their chat is open", async () => {
  const server = fresh(), { chats, room } = await open(server);

  assert.equal(chats.unread, 0);
  room.close();
  server.say("new-msg-notification", 1, 1, 7, "bob", 1, "psst");
  server.say("new-msg-notification", 2, 1, 7, "alice", 2, "written elsewhere");
  assert.equal(chats.unread, 1);
  room.open(7);
  await settle();
  assert.equal(chats.unread, 0);
  document.hidden = true;
  server.live("bob", "are you there?");
  assert.equal(room.unseen, 1);
  document.hidden = false;
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(room.unseen, 0);
});

test("a chat that is deleted elsewhere closes", async () => {
  const server = fresh(), { chats, room } = await open(server);

  server.say("chat-deleted", 1, 7);
  room.close(); // as the address changes
  assert.equal(room.id, null);
  assert.deepEqual(chats.list, []);
  assert.match(room.problem, /deleted/);
});

test("a chat that is left before it could be joined is not joined", async () => {
  const server = fresh(), { chats, room } = await open(server);

  room.close();
  server.heard = [];
  chats.loaded = false; // the list is on its way
  room.open(7);
  room.close();
  await settle();
  assert.ok(server.heard.includes("get-user-chats"));
  assert.ok(!server.heard.includes("join-chat"));
});

// ---- who is here ----

test("whom another tab has put into the browser stays there, and we do not get there", async () => {
  const server = fresh(), { login } = await open(server);
  const others = JSON.stringify({ username: "carol", token: "hers" });

  localStorage.setItem("quintet-login", others);
  server.socket.lose();
  await reconnect(server);
  assert.equal(login.username, "alice");
  assert.match(sessionStorage.getItem("quintet-login"), /alice/);
  assert.equal(localStorage.getItem("quintet-login"), others);
  server.socket.lose();
  await login.leave();
  assert.equal(sessionStorage.getItem("quintet-login"), null);
  assert.equal(localStorage.getItem("quintet-login"), others);
});

test("who is remembered by the browser stays so over a reconnection, until the log-out", async () => {
  const server = fresh(), { login } = await open(server);

  localStorage.setItem("quintet-login", sessionStorage.getItem("quintet-login"));
  sessionStorage.removeItem("quintet-login");
  server.socket.lose();
  await reconnect(server);
  assert.match(localStorage.getItem("quintet-login"), /alice/);
  assert.equal(sessionStorage.getItem("quintet-login"), null);
  server.socket.lose();
  await login.leave();
  assert.equal(localStorage.getItem("quintet-login"), null);
});

test("a log-out in one tab ends that login in all of them, and no other one", async () => {
  const server = fresh(), { login } = await open(server);
  const gone = (token) => window.dispatchEvent(Object.assign(new Event("storage"), {
    key: "quintet-login", oldValue: JSON.stringify({ username: "alice", token }), newValue: null }));

  server["logout"] = () => server.say("logout-response", 1, "OK");
  gone("another");
  await settle();
  assert.equal(login.username, "alice");
  gone("good");
  await settle();
  assert.equal(login.username, null);
  assert.ok(server.heard.includes("logout"));
});

test("a token that is not good any more leads to the form", async () => {
  const server = fresh();

  server.token = "another";
  const { login } = await open(server);
  assert.equal(login.username, null);
  assert.match(login.problem, /log in again/);
  assert.equal(sessionStorage.getItem("quintet-login"), null);
});

test("a session that the server has ended says why and is over", async () => {
  const server = fresh(), { login, connection } = await open(server);

  server.say("notice", "Please be quiet");
  server.socket.lose("io server disconnect");
  assert.equal(connection.state, "ended");
  assert.equal(login.username, null);
  assert.match(login.problem, /Please be quiet/);
});

test("a question that is open when the connection breaks is lost", async () => {
  const server = fresh(), { connection } = await open(server);
  const question = connection.ask("nothing", "nothing-response");

  server.socket.lose();
  await assert.rejects(question, Lost);
  await assert.rejects(connection.ask("nothing", "nothing-response"), Lost);
});

test("answers belong to questions in their order", async () => {
  const server = fresh(), { connection } = await open(server);
  const asked = [1, 2, 3].map((n) => connection.ask("count", "counted", n));

  server.say("counted", "a");
  server.say("counted", "b");
  server.say("counted", "c");
  assert.deepEqual(await Promise.all(asked), [["a"], ["b"], ["c"]]);
});
