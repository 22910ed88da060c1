// SPDX-License-Identifier: MIT
//
// The chat that is open: its messages, who is writing, and the way to write there.
//
// A chat that is joined gets its messages as they are stored; what was stored before is
// asked for.  Both may bring the same message, so they are kept by their id.  `upto` is
// the newest one before which nothing is missing: what comes live while older ones are
// still on their way does not move it, so a connection that breaks in between leaves no
// gap.
//
//   known:   40 41 42 43 .. .. 46        upto = 43: ask for what is behind 43
//
// Tells "changed", and "dropped" with what had waited for a chat that was deleted.

import { Signal } from "./signal.js";
import { Outbox } from "./outbox.js";

const PAGE = 100;             // messages that the server lists at once
const NAME_MAX = 255;         // bytes of a picture's name
const TYPING_SAID_MS = 2500;  // how often we say that we are writing
const TYPING_SHOWN_MS = 6000; // how long we believe it of others

const THUMB = /^data:image\/(png|jpeg|gif|webp);base64,/;

class History {
  messages = new Map(); // id: {id, author, time, text, image, name, thumb, row}
  upto = 0;
  begun = false;        // something was asked for and came
  more = false;         // there are older ones on the server

  add(message) {
    this.messages.set(message.id, message);
  }

  get sorted() {
    return [...this.messages.values()].sort((a, b) => a.id - b.id);
  }
}

function fromList(entry) {
  return {
    id: entry.message_id, author: entry.username, time: entry.message_date,
    text: entry.message_text, image: entry.image_id ?? 0, name: entry.img_name ?? "",
    thumb: THUMB.test(entry.thumb) ? entry.thumb : "",
  };
}

// The first characters of text that fit into so many bytes.
function cut(text, bytes) {
  const encoded = new TextEncoder();
  const short = [...text];

  while (encoded.encode(short.join("")).length > bytes)
    short.pop();
  return short.join("");
}

export class Room extends Signal {
  constructor(connection, login, chats, drawer) {
    super();
    this.connection = connection;
    this.login = login;
    this.chats = chats;
    this.outbox = new Outbox(connection, login, drawer);
    this.histories = new Map(); // chat id: History
    this.#clear();
    this.outbox.on("changed", () => this.tell("changed"));
    connection.on("chat-msg", ([id, , chat, author, time, text]) =>
      this.#live(chat, { id, author, time, text, image: 0, name: "", thumb: "" }));
    connection.on("chat-img", ([image, , chat, author, time, name, , , id]) =>
      this.#live(chat, { id, author, time, text: "", image, name, thumb: "" }));
    connection.on("typing", ([, chat, name]) => this.#writes(chat, name));
    connection.on("user-leave", ([, chat]) => this.#writes(chat, null));
    connection.on("down", () => this.#writes(this.id, null));
    chats.on("removed", ({ chat }) => this.#removed(chat.id));
    chats.on("changed", () => this.#prune());
    login.on("in", () => this.#enter());
    login.on("out", () => {
      this.histories.clear();
      this.#clear();
      this.tell("changed");
    });
    document.addEventListener("visibilitychange", () => this.#looked());
  }

  get history() {
    return this.histories.get(this.id);
  }

  open(id) {
    if (id === this.id)
      return;
    this.close();
    this.#clear();
    this.id = id;
    if (!this.histories.has(id))
      this.histories.set(id, new History());
    this.tell("changed");
    if (this.login.online)
      this.#enter();
  }

  close() {
    if (this.id === null)
      return; // what was said about the last one stays
    const chat = this.chats.find(this.id);

    if (chat !== undefined && this.login.online)
      this.connection.say("leave-chat", chat.anons, chat.id);
    this.#clear();
    this.tell("changed");
  }

  write(text) {
    this.#send({ text });
  }

  picture(file) {
    this.#send({ file, name: cut(file.name, NAME_MAX) });
  }

  // The user is writing, which the other one may know.
  typing() {
    const now = Date.now();

    if (now - this.typing_said < TYPING_SAID_MS || !this.login.online)
      return;
    this.typing_said = now;
    this.connection.say("typing", this.id);
  }

  // What is older than all that is shown.
  async loadOlder() {
    const id = this.id, history = this.history;

    if (this.loading || !history.more || !this.login.online)
      return;
    this.#loads(true);
    try {
      await this.#fetchOlder(id, history);
    } catch {
      // The connection is lost; the next look asks again.
    }
    if (id === this.id)
      this.#loads(false);
  }

  // Join the open chat on this connection, and get what is missing.
  async #enter() {
    const id = this.id;

    if (id === null)
      return;
    this.#loads(true);
    try {
      if (!this.chats.loaded || this.chats.find(id) === undefined)
        await this.chats.load();
      if (id !== this.id)
        return; // another one was opened meanwhile
      const chat = this.chats.find(id);
      const [, joined, message] = chat === undefined
        ? [0, -1, "There is no such chat."]
        : await this.connection.ask("join-chat", "join-chat-response", chat.anons, id);

      if (id !== this.id)
        return;
      this.problem = joined === -1 ? message : "";
      if (joined !== -1) {
        this.chats.seen(id);
        await this.#fetch(chat, this.histories.get(id));
      }
    } catch {
      return; // the connection is lost; the next login enters again
    }
    if (id === this.id)
      this.#loads(false);
  }

  // A list holds PAGE messages at most, and less where they are large.  So one that is not
  // full says nothing about what is beyond it; only an empty one does.
  async #fetch(chat, history) {
    const again = history.begun;
    let length;

    do
      length = await this.#list(chat, history, ...(again ? [history.upto] : []));
    while (again && length > 0);
    if (length < 0)
      return;
    history.upto = history.sorted.at(-1)?.id ?? 0;
    if (!again && length > 0 && length < PAGE)
      await this.#fetchOlder(chat.id, history);
  }

  // One list: its length, -1 if there was none.
  async #list(chat, history, ...after) {
    const [length, entries, why] = await this.connection.ask(
      "get-chat-messages", "chat-messages", chat.anons, chat.id, ...after);

    if (length < 0) {
      this.problem = why;
      return length;
    }
    for (const message of entries.map(fromList)) {
      this.#add(chat.id, history, message);
      if (history.begun)
        this.#count(message);
    }
    history.upto = entries.at(-1)?.message_id ?? history.upto;
    history.more ||= length > 0 && !history.begun;
    history.begun = true;
    return length;
  }

  async #fetchOlder(id, history) {
    const [length, entries] = await this.connection.ask(
      "get-more-messages", "more-messages", id, history.sorted[0].id, PAGE);

    if (length < 0)
      return;
    entries.map(fromList).forEach((message) => this.#add(id, history, message));
    history.more = length > 0;
  }

  #live(chat, message) {
    if (chat !== this.id)
      return;
    this.#add(chat, this.history, message);
    if (!this.loading)
      this.history.upto = message.id;
    this.#count(message);
    if (message.author !== this.login.username)
      this.#writes(chat, null);
    this.tell("changed");
  }

  #count(message) {
    if (document.hidden && message.author !== this.login.username)
      this.unseen++;
  }

  // A message that was written here takes the place of the one that was on its way.
  #add(chat, history, message) {
    const there = history.messages.get(message.id);

    if (there !== undefined) {
      // A message of contacts with a picture comes as two events, which have one id.
      if (there.image === 0 && message.image !== 0)
        history.add({ ...there, image: message.image, name: message.name,
          row: `${there.row}-picture` });
      return;
    }
    message.row = this.outbox.arrived(chat, message) ?? `m${message.id}`;
    history.add(message);
  }

  #writes(chat, name) {
    if (chat !== this.id)
      return;
    clearTimeout(this.writer_timer);
    this.writer = name;
    if (name !== null)
      this.writer_timer = setTimeout(() => this.#writes(chat, null), TYPING_SHOWN_MS);
    this.tell("changed");
  }

  #removed(id) {
    this.histories.delete(id);
    if (id !== this.id)
      return;
    this.#clear();
    this.problem = "This chat was deleted.";
    this.tell("changed");
  }

  #prune() {
    if (!this.chats.loaded || !this.login.online)
      return;
    const dropped = this.outbox.drop((id) => this.chats.find(id) !== undefined);

    if (dropped.length > 0)
      this.tell("dropped", dropped);
  }

  #send(what) {
    const chat = this.chats.find(this.id);

    this.typing_said = 0;
    if (chat !== undefined)
      this.outbox.add(chat, what, this.history.upto);
  }

  #looked() {
    if (document.hidden || this.unseen === 0)
      return;
    this.unseen = 0;
    this.tell("changed");
  }

  #loads(loading) {
    this.loading = loading;
    this.tell("changed");
  }

  #clear() {
    clearTimeout(this.writer_timer);
    this.id = null;       // of the open chat
    this.loading = false; // messages are on their way to us
    this.problem = "";    // why it cannot be open
    this.writer = null;   // who is writing to us
    this.unseen = 0;      // messages that came while nobody looked at the page
    this.typing_said = 0;
  }
}
