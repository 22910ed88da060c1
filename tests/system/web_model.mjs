// SPDX-License-Identifier: MIT
//
// What the page knows (web/model), without a browser and against a server that breaks the
// connection exactly where it hurts: that a message is stored once and none is missed.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { mock, test } from "node:test";

// ---- the little of a browser that the models want ----

class Storage extends Map {
  getItem(key) { return this.get(key) ?? null; }
  setItem(key, value) { this.set(key, String(value)); }
  removeItem(key) { this.delete(key); }
}

const { Connection, Lost } = await import("../../web/model/connection.js");
const { Login } = await import("../../web/model/login.js");
const { Chats } = await import("../../web/model/chats.js");
const { Pictures } = await import("../../web/model/pictures.js");
const { Room } = await import("../../web/model/room.js");

// Let everything happen that can happen now: all of it is microtasks.
const settle = () => new Promise((done) => setImmediate(done));

// The browser's place for pictures.
class FakeDrawer extends Map {
  room = true;

  async put(key, user, file) {
    if (!this.room)
      throw new Error("full");
    this.set(key, { user, file });
  }
  async get(key) { return super.get(key)?.file; }
  async remove(key) { this.delete(key); }
  async forget(user) {
    for (const [key, one] of this)
      if (one.user === user)
        this.delete(key);
  }
}

// ---- the server, and socket.io-client as far as the page uses it ----

class Server {
  stored = [];           // [author, text], the id is the place from 1
  pictures = new Map();  // id: the name of a picture; its text is "NAME:BYTES"
  heard = [];            // names of events
  breakAt = () => false; // called with (event, "before" or "behind"): lose the connection?
  refuse = null;         // why the next message is not taken
  deaf = 0;              // so many lists of messages are not given
  page = 100;            // messages in a list
  token = "good";
  refusal = "Wrong";

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
    const [username, text] = this.stored[id - 1], img_name = this.pictures.get(id);
    const what = img_name === undefined ? { message_text: text }
      : { message_text: "", image_id: 1000 + id, img_name };

    return { message_id: id, anons_id: 1, chat_id: 7, username, message_date: id, ...what };
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
    this.list(0, 3, this.stored.length);
  }

  list(all, unread, last) {
    this.say("user-chats", 1, [{ anons_id: 1, chat_id: 7, AllMsgs: all, NewMsgs: unread, login: "bob",
      title: "A thing", online: 1, last_message_id: last }]);
  }

  "join-chat"(anons, chat) {
    this.say("join-chat-response", anons, chat, "OK");
  }

  "get-chat-messages"(anons, chat, after) {
    const ids = this.stored.map((_, i) => i + 1);
    const wanted = after === undefined ? ids.slice(-this.page)
      : ids.filter((id) => id > after).slice(0, this.page);

    if (this.deaf > 0) {
      this.deaf--;
      return this.say("chat-messages", -1, [], "Not now");
    }
    this.say("chat-messages", wanted.length, wanted.map((id) => this.entry(id)));
  }

  "get-more-messages"(chat, before) {
    const ids = this.stored.map((_, i) => i + 1).filter((id) => id < before).slice(-this.page);

    this.say("more-messages", ids.length, ids.map((id) => this.entry(id)));
  }

  "chat-img"(anons, chat, name, type, bytes) {
    const id = this.add("alice", `${name}:${bytes.byteLength}`);

    this.pictures.set(id, name);
    if (this.breakAt("answer"))
      return this.socket.lose();
    this.say("chat-img", 1000 + id, 1, 7, "alice", id, name, type, bytes, id);
    this.say("chat-response", 1, "OK");
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
        this.any("auth-response", -1, this.server.refusal);
    });
  }

  lose(reason = "transport close") {
    this.up = false;
    this.on_event.disconnect(reason);
  }
}

// Alice's page, logged in by its token, with the chat open.
async function open(server, kept = { username: "alice", token: "good" }, drawer = new FakeDrawer()) {
  globalThis.window = new EventTarget();
  globalThis.document = Object.assign(new EventTarget(), { hidden: false });
  globalThis.localStorage = new Storage();
  globalThis.sessionStorage ??= new Storage();
  sessionStorage.setItem("quintet-login", JSON.stringify(kept));
  const connection = new Connection(server.io);
  const login = new Login(connection), chats = new Chats(connection, login);
  const room = new Room(connection, login, chats, drawer);

  connection.open();
  await settle();
  room.open(7);
  await settle();
  return { connection, login, chats, room, drawer };
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

// ---- text is text ----

test("nothing on the page reads text as HTML or as a program", async () => {
  const files = (await readdir("web", { recursive: true })).filter((name) =>
    name.endsWith(".js") && !name.startsWith("socket.io"));
  const html = await readFile("web/index.html", "utf8");

  assert.ok(files.length > 20);
  for (const name of files)
    assert.doesNotMatch(await readFile(`web/${name}`, "utf8"),
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|ContextualFragment|srcdoc|\beval\b|new Function/,
      name);
  // What the policy would not let work is not there either.
  assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*src="\/)|\b(?:src|href)="(?!\/)/);
});

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
  for (let i = 0; i < 200; i++)
    server.add("bob", `line ${i}`);
  room.write("late");
  await settle();
  await reconnect(server);
  assert.deepEqual(mine(server), ["late"]);
  assert.equal(shown(room).length, 200 + 1);
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

test("who sends too fast waits as long as was said, and the order stays", async () => {
  const server = fresh(), { room } = await open(server);

  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    server.refuse = "Too much at once, try again in 3 seconds";
    room.write("first");
    room.write("second");
    await settle();
    assert.deepEqual(mine(server), []);
    mock.timers.tick(2999);
    await settle();
    assert.deepEqual(mine(server), []);
    mock.timers.tick(1);
    await settle();
    assert.deepEqual(mine(server), ["first", "second"]);
    assert.deepEqual(room.outbox.list, []);
  } finally {
    mock.timers.reset();
  }
});

test("what waits for a chat that was deleted meanwhile is given back", async () => {
  const server = fresh(), { room } = await open(server);
  const dropped = [];

  room.on("dropped", (entries) => dropped.push(...entries.map((entry) => entry.text)));
  server.socket.lose();
  room.write("too late");
  server["get-user-chats"] = () => server.say("user-chats", 0, []);
  await reconnect(server);
  assert.deepEqual(dropped, ["too late"]);
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

const picture = (bytes = "picture", name = "a.png") => new File([bytes], name, { type: "image/png" });

// The same tab behind a reload.
async function reload(server, drawer) {
  if (server.socket.up)
    server.socket.lose();
  server.breakAt = () => false;
  const again = await open(server, undefined, drawer);

  await settle();
  return again;
}

test("a picture that was not sent survives a reload, and its place is free then", async () => {
  const server = fresh(), { room, drawer } = await open(server);

  server.socket.lose();
  room.picture(picture());
  room.write("behind it");
  await settle();
  assert.ok(room.outbox.list.every((entry) => room.outbox.isKept(entry)));
  const again = await reload(server, drawer);
  assert.deepEqual(mine(server), ["a.png:7", "behind it"]);
  assert.deepEqual(again.room.outbox.list, []);
  assert.equal(drawer.size, 0);
});

test("a picture in doubt is sent once, also over a reload", async () => {
  const server = fresh(), { room, drawer } = await open(server);

  server.breakAt = (event) => event === "answer";
  room.picture(picture());
  await settle();
  await settle();
  assert.deepEqual(mine(server), ["a.png:7"]);
  assert.equal(room.outbox.list.length, 1);
  const again = await reload(server, drawer);
  assert.deepEqual(mine(server), ["a.png:7"]);
  assert.deepEqual(again.room.outbox.list, []);
  assert.equal(drawer.size, 0);
});

test("a picture that cannot be kept says so, and is sent all the same", async () => {
  const server = fresh(), { room, drawer } = await open(server);

  server.socket.lose();
  drawer.room = false;
  room.picture(picture());
  room.write("text is kept");
  await settle();
  assert.deepEqual(room.outbox.list.map((entry) => room.outbox.isKept(entry)), [false, true]);
  server.socket.connect();
  await settle();
  await settle();
  assert.deepEqual(mine(server), ["a.png:7", "text is kept"]);
});

test("a picture that a reload has lost says so and holds up nobody", async () => {
  const server = fresh(), { room, drawer } = await open(server);

  server.socket.lose();
  room.picture(picture());
  room.write("behind it");
  await settle();
  drawer.clear();
  const again = await reload(server, drawer);
  assert.deepEqual(mine(server), ["behind it"]);
  assert.match(again.room.outbox.list[0].problem, /cannot be read/);
});

test("who logs out leaves no picture behind", async () => {
  const server = fresh(), { login, room, drawer } = await open(server);

  server.socket.lose();
  room.picture(picture());
  await drawer.put("of a tab that was closed", "alice", picture());
  await drawer.put("hers", "carol", picture());
  await login.leave();
  await settle();
  assert.deepEqual([...drawer.keys()], ["hers"]);
  assert.deepEqual(room.outbox.list, []);
});

const GOOD = { key: "1-2", user: "alice", chat: 7, anons: 1, time: 1, after: 0, sent: false,
  arrived: false, problem: "", text: "mine" };

test("what is not ours in the browser's storage is nothing", async () => {
  for (const [junk, sent] of [[{}, []], ["text", []], [7, []], [[null, 1, "x", {}, [], [GOOD]], []],
    [[{ ...GOOD, text: 5 }, { ...GOOD, text: undefined }, { ...GOOD, name: "and a picture" },
      { ...GOOD, problem: {} }, { ...GOOD, chat: "7" }, GOOD], ["mine"]]]) {
    const server = fresh();

    sessionStorage.setItem("quintet-unsent", JSON.stringify(junk));
    const { room } = await open(server);
    room.write("new");
    await settle();
    assert.deepEqual(mine(server), [...sent, "new"]);
  }
});

test("a login that is not ours is none, and the form works", async () => {
  for (const junk of [{}, "text", [], 7, { username: "alice" }, { username: {}, token: "good" },
    { username: "alice", token: 5 }]) {
    const server = fresh(), { login } = await open(server, junk);

    assert.equal(login.username, null);
    server["auth-request"] = (username) =>
      server.say("auth-response", 1, "1", { username, token: "good", expires: 0 });
    assert.equal(await login.enter("alice", "password", false), "");
  }
});

test("a browser that keeps nothing is no obstacle", async () => {
  const server = fresh(), { login, room } = await open(server);
  const refuse = () => { throw new Error("SecurityError"); };

  server["logout"] = () => server.say("logout-response", 1, "OK");
  server.socket.lose();
  for (const name of ["sessionStorage", "localStorage"])
    Object.defineProperty(globalThis, name, { get: refuse, configurable: true });
  try {
    room.write("all the same");
    assert.equal(room.outbox.isKept(room.outbox.list[0]), false);
    await reconnect(server);
    assert.deepEqual(mine(server), ["all the same"]);
    await login.leave();
    assert.equal(login.username, null);
  } finally {
    for (const name of ["sessionStorage", "localStorage"])
      Object.defineProperty(globalThis, name, { value: new Storage(), writable: true, configurable: true });
  }
});

// ---- in doubt, and no list to look at ----

async function inDoubt() {
  const server = fresh(), { room } = await open(server);

  server.breakAt = (event) => event === "echo" || event === "answer";
  room.write("one");
  await settle();
  room.close(); // so that only the outbox asks
  return { server, room };
}

test("a list that fails is asked for again, and nothing is sent before it comes", async () => {
  const { server, room } = await inDoubt();

  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    server.deaf = 3;
    await reconnect(server);
    for (let i = 0; i < 3; i++) {
      assert.equal(room.outbox.list.length, 1);
      assert.deepEqual(mine(server), ["one"]);
      mock.timers.tick(20000);
      await settle();
    }
    assert.deepEqual(mine(server), ["one"]);
    assert.deepEqual(room.outbox.list, []);
  } finally {
    mock.timers.reset();
  }
});

test("a list that always fails leaves the message in doubt, and it can be tried again", async () => {
  const { server, room } = await inDoubt();

  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    server.deaf = Infinity;
    await reconnect(server);
    for (let i = 0; i < 10; i++) {
      mock.timers.tick(20000);
      await settle();
    }
    const [entry] = room.outbox.list;
    assert.equal(entry.problem, "Not now");
    assert.equal(entry.sent, true);
    server.deaf = 0;
    room.outbox.retry(entry.key);
    await settle();
    assert.deepEqual(mine(server), ["one"]);
    assert.deepEqual(room.outbox.list, []);
  } finally {
    mock.timers.reset();
  }
});

test("lists that are cut short have no gap, and hide no message in doubt", async () => {
  const server = fresh();

  server.page = 3; // of large messages
  for (let i = 1; i <= 8; i++)
    server.add("bob", `old ${i}`);
  const { room } = await open(server);
  while (room.history.more)
    await room.loadOlder();
  assert.equal(shown(room).length, 8);
  for (let i = 1; i <= 8; i++)
    server.add("bob", `new ${i}`);
  server.breakAt = (event) => event === "echo" || event === "answer";
  room.write("late");
  await settle();
  await reconnect(server);
  assert.deepEqual(mine(server), ["late"]);
  assert.equal(shown(room).length, 17);
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
  const all = Array.from({ length: 300 }, (_, i) => String(i + 1));
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
  assert.deepEqual(shown(room), [...all.slice(0, 101), all.at(-1)]);
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

test("news that cross the list of chats are counted once", async () => {
  const server = fresh(), { chats, room } = await open(server);
  const news = (id, author = "bob") =>
    server.say("new-msg-notification", id, 1, 7, author, id, "psst");
  const picture = (id) => server.say("new-img-notification", 1000 + id, 1, 7, "bob", id, "a.png", "png", id);

  room.close();
  server["get-user-chats"] = () => {
    news(1); // the list has it
    news(2);
    picture(3);
    news(4, "alice");
    server.list(1, 1, 1);
    picture(5);
  };
  await chats.load();
  assert.deepEqual([chats.find(7).all, chats.unread], [5, 4]);
  server["get-user-chats"] = () => {
    server.list(7, 6, 7);
    news(6);
    picture(7);
    picture(8);
  };
  await chats.load();
  assert.deepEqual([chats.find(7).all, chats.unread], [8, 7]);
  // Said and opened while the list is on its way.
  server["get-user-chats"] = () => {
    news(9);
    chats.seen(7);
    server.list(8, 0, 8);
  };
  await chats.load();
  assert.deepEqual([chats.find(7).all, chats.unread], [9, 0]);
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

test("pictures do not fill the memory, and one that had to go is fetched again", async () => {
  const server = fresh(), { connection, login } = await open(server);
  const pictures = new Pictures(connection, login);
  const size = 8 << 20;

  server["get-image"] = (id) => server.say("image", id, "a.png", "image/png", new Uint8Array(size));
  server["logout"] = () => server.say("logout-response", 1, "OK");
  const first = await pictures.url(1);
  assert.equal(await pictures.url(1), first);
  for (let id = 2; id <= 30; id++)
    server.say("chat-img", id, 1, 7, "bob", id, "b.png", "image/png", new Uint8Array(size), id);
  await settle();
  assert.equal(pictures.used, 8 * size);
  assert.equal(server.heard.filter((name) => name === "get-image").length, 1);
  for (let id = 23; id <= 30; id++)
    await pictures.url(id);
  assert.equal(server.heard.filter((name) => name === "get-image").length, 1);
  assert.notEqual(await pictures.url(1), first);
  await login.leave();
  await settle();
  assert.equal(pictures.used, 0);
});

test("a picture that does not come is asked for again", async () => {
  const server = fresh(), { connection, login } = await open(server);
  const pictures = new Pictures(connection, login);

  server["get-image"] = () => server.say("image", -1, "No such image");
  await assert.rejects(pictures.url(1), /No such image/);
  server["get-image"] = (id) => server.say("image", id, "a.png", "image/png", new Uint8Array(5));
  assert.match(await pictures.url(1), /^blob:/);
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

test("who comes back and is banned is told why", async () => {
  const server = fresh();

  server.token = "another";
  server.refusal = "You are banned until 2026-11-21 14:30:05: the plug";
  const { login } = await open(server);
  assert.equal(login.username, null);
  assert.equal(login.problem, server.refusal);
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
