// SPDX-License-Identifier: MIT
//
// The user's chats, the one with the latest news first, and how many messages in each are
// unread.  The server counts (NewMsgs); between its lists the page counts on.
//
// Tells "changed", and "removed" {chat, by_us} when one was deleted.

import { Signal } from "./signal.js";

export class Chats extends Signal {
  constructor(connection, login) {
    super();
    this.connection = connection;
    this.login = login;
    this.list = [];      // {id, anons, other, title, all, unread, online}
    this.loaded = false;
    connection.on("chat-added", () => this.load());
    connection.on("chat-deleted", ([, id]) => this.#remove(id, false));
    connection.on("presence", ([name, online]) => this.#present(name, online === 1));
    for (const name of ["new-msg-notification", "new-img-notification"])
      connection.on(name, ([, , id, author]) => this.#news(id, author, true));
    for (const name of ["chat-msg", "chat-img"])
      connection.on(name, ([, , id, author]) => this.#news(id, author, false));
    connection.on("down", () => this.#unknown());
    login.on("in", () => this.load());
    login.on("out", () => this.#forget());
  }

  find(id) {
    return this.list.find((chat) => chat.id === id);
  }

  get unread() {
    return this.list.reduce((sum, chat) => sum + chat.unread, 0);
  }

  async load() {
    const [length, entries] =
      await this.connection.ask("get-user-chats", "user-chats").catch(() => [-1]);

    if (length < 0)
      return;
    const place = new Map(this.list.map((chat, i) => [chat.id, i]));
    const fresh = entries.map((entry) => ({
      id: entry.chat_id, anons: entry.anons_id, other: entry.login, title: entry.title,
      all: entry.AllMsgs, unread: entry.NewMsgs, online: Boolean(entry.online),
    }));

    // What is shown stays where it is; what is new stands above it, the newest first.
    this.list = fresh.sort((a, b) =>
      (place.get(a.id) ?? -1) - (place.get(b.id) ?? -1) || b.id - a.id);
    this.loaded = true;
    this.tell("changed");
  }

  // The chat about an announcement, made if there is none: its id.  Throws why not.
  async ask(anons) {
    const [, id, message] =
      await this.connection.ask("new-chat", "new-chat-response", anons);

    if (id === -1)
      throw new Error(message);
    if (this.find(id) === undefined)
      await this.load();
    return id;
  }

  async remove(id) {
    const [done, message] =
      await this.connection.ask("delete-chat", "delete-chat-response", id);

    if (done === -1)
      throw new Error(message);
    this.#remove(id, true);
  }

  // The user has it open: nothing in it is unread.
  seen(id) {
    const chat = this.find(id);

    if (chat === undefined || chat.unread === 0)
      return;
    chat.unread = 0;
    this.tell("changed");
  }

  // notified: we have not joined it.
  #news(id, author, notified) {
    const chat = this.find(id);

    if (chat === undefined)
      return;
    chat.all++;
    if (notified && author !== this.login.username)
      chat.unread++;
    this.list = [chat, ...this.list.filter((other) => other !== chat)];
    this.tell("changed");
  }

  #present(name, online) {
    for (const chat of this.list)
      if (chat.other === name)
        chat.online = online;
    this.tell("changed");
  }

  // Without a connection nobody knows who is there.
  #unknown() {
    for (const chat of this.list)
      chat.online = false;
    this.tell("changed");
  }

  // by_us: on this page.
  #remove(id, by_us) {
    const chat = this.find(id);

    if (chat === undefined)
      return;
    this.list = this.list.filter((other) => other !== chat);
    this.tell("removed", { chat, by_us });
    this.tell("changed");
  }

  #forget() {
    this.list = [];
    this.loaded = false;
    this.tell("changed");
  }
}
