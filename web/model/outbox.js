// SPDX-License-Identifier: MIT
//
// Messages on their way.  One stays here until the server has said that it is stored, over
// lost connections, and as far as it is text also over a reload of the page.
//
// When a connection is lost behind a message and before its answer, nobody knows whether it
// was stored.  Then the page looks among the messages of its chat, and sends it again only
// if it is not there: so it arrives exactly once.

import { Signal } from "./signal.js";

const KEY = "quintet-unsent";
const PAGE = 100; // messages that the server lists at once

export class Outbox extends Signal {
  constructor(connection, login) {
    super();
    this.connection = connection;
    this.login = login;
    this.list = restore(); // {key, user, chat, anons, text | file and name, time, after, sent, arrived, problem}
    this.busy = false;
    this.newest = new Map(); // chat id: the newest message that has come from there
    connection.on("chat-msg", ([id, , chat]) => this.#know(chat, id));
    connection.on("chat-img", ([, , chat, , , , , , id]) => this.#know(chat, id));
    login.on("in", () => this.flush());
    login.on("out", () => this.#forget());
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
      (one.file === undefined ? message.text === one.text : message.name === one.name));

    if (entry !== undefined)
      entry.arrived = true;
    return entry?.key;
  }

  // after: the newest message of that chat that is known.
  add(chat, what, after) {
    this.list.push({
      key: crypto.getRandomValues(new Uint32Array(2)).join("-"), user: this.login.username,
      chat: chat.id, anons: chat.anons, ...what, time: Date.now(), after, sent: false,
      arrived: false, problem: "",
    });
    this.#changed();
    this.flush();
  }

  retry(key) {
    const entry = this.list.find((one) => one.key === key);

    entry.problem = "";
    this.#changed();
    this.flush();
  }

  discard(key) {
    this.list = this.list.filter((entry) => entry.key !== key);
    this.#changed();
  }

  // One after the other, in the order in which they were written.
  async flush() {
    if (this.busy || !this.login.online)
      return;
    this.busy = true;
    try {
      for (let entry; (entry = this.#next()) !== undefined;)
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

  async #deliver(entry) {
    if (entry.sent && await this.#wasStored(entry)) {
      this.discard(entry.key);
      return;
    }
    entry.sent = true;
    entry.arrived = false;
    entry.after = Math.max(entry.after, this.newest.get(entry.chat) ?? 0);
    this.#changed();
    const [status, message] = await this.#send(entry);

    if (status === 1) {
      this.discard(entry.key);
      return;
    }
    entry.sent = entry.arrived = false;
    entry.problem = message;
    this.#changed();
  }

  async #send(entry) {
    if (entry.file === undefined)
      return this.connection.ask("chat-msg", "chat-response", entry.anons, entry.chat, entry.text);
    const bytes = await entry.file.arrayBuffer().catch(() => null);

    if (bytes === null)
      return [-1, "The picture cannot be read any more."];
    return this.connection.ask("chat-img", "chat-response", entry.anons, entry.chat,
      entry.name, entry.file.type, bytes);
  }

  // What is sent from now on will be newer.  So a message stands for one entry alone, also
  // where the same text was written twice.
  #know(chat, id) {
    this.newest.set(chat, Math.max(id, this.newest.get(chat) ?? 0));
  }

  async #wasStored(entry) {
    for (let after = entry.after; ;) {
      const [length, messages] = await this.connection.ask(
        "get-chat-messages", "chat-messages", entry.anons, entry.chat, after);
      const found = messages.find((message) =>
        message.username === entry.user &&
        (entry.file === undefined ? message.message_text === entry.text
          : message.img_name === entry.name));

      if (found !== undefined) {
        this.#know(entry.chat, found.message_id);
        return true;
      }
      if (length < PAGE)
        return false;
      after = messages.at(-1).message_id;
    }
  }

  #changed() {
    this.#save();
    this.tell("changed");
  }

  // Where there is no more room, what waits is sent all the same; only a reload loses it.
  #save() {
    try {
      sessionStorage.setItem(KEY,
        JSON.stringify(this.list.filter((entry) => entry.file === undefined)));
    } catch {
      sessionStorage.removeItem(KEY); // what is there would be sent once more
    }
  }

  #forget() {
    if (this.login.problem !== "")
      return; // thrown out: the same user may come back
    this.list = [];
    this.#changed();
  }
}

function restore() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}
