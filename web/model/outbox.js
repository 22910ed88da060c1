// SPDX-License-Identifier: MIT
//
// Messages on their way.  One stays here until the server has said that it is stored, over
// lost connections and over a reload of the page: what it says is on the tab's shelf, a
// picture in the browser's drawer.  Where the browser has no room, it is sent all the same,
// and `isKept` says that a reload would lose it.
//
// When a connection is lost behind a message and before its answer, nobody knows whether it
// was stored.  Then the page looks among the messages of its chat, and sends it again only
// if it is not there: so it arrives exactly once.  A list that cannot be had says nothing,
// so it is asked for again.

import { Lost } from "./connection.js";
import { Signal } from "./signal.js";
import { read, write } from "./shelf.js";

const KEY = "quintet-unsent";
const ASK_AGAIN_MS = 1000; // at first; each time twice as long
const ASKED_MAX = 5;

// Who sends too fast is told when to go on; what comes then keeps its order.
const TOO_FAST = /try again in (\d{1,2}) second/;

// What of an entry goes to the shelf, and what each is there.
const FIELDS = {
  key: "string", user: "string", chat: "number", anons: "number", time: "number",
  after: "number", sent: "boolean", arrived: "boolean", problem: "string",
};

export const isPicture = (entry) => entry.text === undefined;

export class Outbox extends Signal {
  constructor(connection, login, drawer) {
    super();
    this.connection = connection;
    this.login = login;
    this.drawer = drawer;
    this.user = login.username;
    this.list = restore();   // of FIELDS, and text, or name and file
    this.saved = true;       // the shelf has them all
    this.busy = false;
    this.newest = new Map(); // chat id: the newest message that has come from there
    connection.on("chat-msg", ([id, , chat]) => this.#know(chat, id));
    connection.on("chat-img", ([, , chat, , , , , , id]) => this.#know(chat, id));
    login.on("in", () => {
      this.user = login.username;
      this.flush();
    });
    login.on("out", () => this.#forget());
    this.list.filter(isPicture).forEach((entry) => this.#find(entry));
  }

  // Does it survive a reload?
  isKept(entry) {
    return this.saved && entry.kept !== false;
  }

  // What is to be shown below the messages of a chat.
  of(chat) {
    return this.list.filter((entry) =>
      entry.chat === chat && entry.user === this.login.username && !entry.arrived);
  }

  // A message of ours has come from the server: the key of the entry that it is, whose
  // answer is still on its way; undefined when it was written elsewhere.
  arrived(chat, message) {
    const entry = this.of(chat).find((one) =>
      one.sent && message.id > one.after && message.author === one.user &&
      (isPicture(one) ? message.name === one.name : message.text === one.text));

    if (entry === undefined)
      return undefined;
    entry.arrived = true;
    this.#know(chat, message.id);
    return entry.key;
  }

  // after: the newest message of that chat that is known.
  add(chat, what, after) {
    const entry = {
      key: crypto.getRandomValues(new Uint32Array(2)).join("-"), user: this.login.username,
      chat: chat.id, anons: chat.anons, ...what, time: Date.now(), after, sent: false,
      arrived: false, problem: "",
    };

    this.list.push(entry);
    if (isPicture(entry))
      this.#put(entry);
    this.#changed();
    this.flush();
  }

  retry(key) {
    for (const entry of this.list.filter((one) => one.key === key))
      entry.problem = "";
    this.#changed();
    this.flush();
  }

  discard(key) {
    for (const entry of this.list.filter((one) => one.key === key && isPicture(one)))
      this.drawer.remove(entry.key).catch(() => {}); // it was not there
    this.list = this.list.filter((entry) => entry.key !== key);
    this.#changed();
  }

  // What waits for chats that are not there any more: it is taken out.
  drop(isThere) {
    const gone = this.list.filter((entry) =>
      entry.user === this.login.username && !isThere(entry.chat));

    for (const entry of gone)
      this.discard(entry.key);
    return gone;
  }

  // One after the other, in the order in which they were written.
  async flush() {
    if (this.busy || !this.login.online)
      return;
    this.busy = true;
    try {
      for (let entry; this.login.online && (entry = this.#next()) !== undefined;)
        await this.#deliver(entry);
    } catch {
      // The connection is lost; the next login goes on.
    }
    this.busy = false;
  }

  #next() {
    return this.list.find((entry) =>
      entry.problem === "" && entry.user === this.login.username);
  }

  // Nobody has left meanwhile, or thrown it away.
  #stands(entry) {
    return this.login.online && entry.user === this.login.username && this.list.includes(entry);
  }

  async #deliver(entry) {
    if (entry.sent) {
      const [there, why] = entry.arrived ? [true, ""] : await this.#wasStored(entry);

      if (!this.#stands(entry))
        return;
      if (there)
        return this.discard(entry.key);
      if (why !== "")
        return this.#trouble(entry, why);
    }
    entry.sent = true;
    entry.arrived = false;
    entry.after = Math.max(entry.after, this.newest.get(entry.chat) ?? 0);
    this.#changed();
    const [status, message] = await this.#send(entry);

    if (status === 1)
      return this.discard(entry.key);
    entry.sent = entry.arrived = false;
    const [, seconds] = TOO_FAST.exec(message) ?? [];

    if (seconds === undefined)
      return this.#trouble(entry, message);
    this.#changed();
    await pause(seconds * 1000);
  }

  async #send(entry) {
    if (!isPicture(entry))
      return this.connection.ask("chat-msg", "chat-response", entry.anons, entry.chat, entry.text);
    await entry.finding;
    const bytes = await entry.file?.arrayBuffer().catch(() => undefined);

    if (!this.#stands(entry))
      throw new Lost("It was on its way when the user left.");
    if (bytes === undefined)
      return [-1, "The picture cannot be read any more. Please choose it once more."];
    return this.connection.ask("chat-img", "chat-response", entry.anons, entry.chat,
      entry.name, entry.file.type, bytes);
  }

  // What is sent from now on will be newer.  So a message stands for one entry alone, also
  // where the same text was written twice.
  #know(chat, id) {
    this.newest.set(chat, Math.max(id, this.newest.get(chat) ?? 0));
  }

  // [is it there, why that cannot be said].
  async #wasStored(entry) {
    let wait = ASK_AGAIN_MS;

    for (let after = entry.after, asked = 1; this.#stands(entry);) {
      const [length, messages, why] = await this.connection.ask(
        "get-chat-messages", "chat-messages", entry.anons, entry.chat, after);

      if (length < 0) {
        if (asked++ === ASKED_MAX)
          return [false, why];
        await pause(wait);
        wait *= 2;
        continue;
      }
      const found = messages.find((message) => message.username === entry.user &&
        (isPicture(entry) ? message.img_name === entry.name
          : message.message_text === entry.text));

      if (found !== undefined) {
        this.#know(entry.chat, found.message_id);
        return [true, ""];
      }
      if (length === 0)
        return [false, ""]; // a list may be cut short, so only an empty one is the end
      after = messages.at(-1).message_id;
    }
    return [false, ""];
  }

  #trouble(entry, why) {
    entry.problem = why;
    this.#changed();
  }

  // ---- over a reload ----

  // The picture into the drawer.
  async #put(entry) {
    entry.kept = await this.drawer.put(entry.key, entry.user, entry.file)
      .then(() => true, () => false);
    this.tell("changed");
  }

  // The picture of an entry that was on the shelf; without one, sending it says so.
  #find(entry) {
    entry.finding = this.drawer.get(entry.key).then((file) => {
      entry.file = file;
      this.tell("changed");
    }, () => {});
  }

  #changed() {
    this.saved = write("session", KEY, this.list.map(packed));
    this.tell("changed");
  }

  #forget() {
    if (this.login.problem !== "")
      return; // thrown out: the same user may come back
    this.drawer.forget(this.user).catch(() => {}); // it had none
    this.list = [];
    this.#changed();
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// text, or the name of a picture
const WORDS = ["text", "name"];

function packed(entry) {
  return Object.fromEntries([...Object.keys(FIELDS), ...WORDS].map((name) => [name, entry[name]]));
}

// What has another shape is not from us.
function isOurs(entry) {
  return Object.entries(FIELDS).every(([name, type]) => typeof entry?.[name] === type) &&
    WORDS.filter((name) => typeof entry[name] === "string").length === 1;
}

function restore() {
  const found = read("session", KEY);

  return Array.isArray(found) ? found.filter(isOurs).map(packed) : [];
}
