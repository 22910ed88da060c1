// SPDX-License-Identifier: MIT
//
// The user's chats, the one with the latest news first, and how many messages in each are
// unread.  The server counts (NewMsgs), up to a message (last_message_id), and the page
// counts on from there, whether news come before the list or behind it.
//
// Tells "changed", and "removed" {chat, by_us} when one was deleted.

import { Signal } from "./signal.js";

export class Chats extends Signal {
  #loading = 0; // lists that were asked for
  #told = [];   // meanwhile: {chat, message, unread}

  constructor(connection, login) {
    super();
    this.connection = connection;
    this.login = login;
    this.list = [];      // {id, anons, other, title, all, unread, upto, online}
    this.loaded = false;
    connection.on("chat-added", () => this.load());
    connection.on("chat-deleted", ([, id]) => this.#remove(id, false));
    connection.on("presence", ([name, online]) => this.#present(name, online === 1));
    for (const [name, open] of [["new-msg-notification", false], ["chat-msg", true]])
      connection.on(name, ([message, , id, author]) => this.#news(id, author, message, open));
    for (const [name, open] of [["new-img-notification", false], ["chat-img", true]])
      connection.on(name, (args) => this.#news(args[2], args[3], args.at(-1), open));
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
    this.#told = [];
    this.#loading++;
    const [length, entries] =
      await this.connection.ask("get-user-chats", "user-chats").catch(() => [-1]);

    this.#loading--;
    if (length < 0)
      return;
    const place = new Map(this.list.map((chat, i) => [chat.id, i]));
    const fresh = entries.map((entry) => this.#chat(entry));

    // What is shown stays where it is; what is new stands above it, the newest first.
    this.list = fresh.sort((a, b) =>
      (place.get(a.id) ?? -1) - (place.get(b.id) ?? -1) || b.id - a.id);
    this.loaded = true;
    this.tell("changed");
  }

  #chat(entry) {
    const later = this.#told.filter((news) =>
      news.chat === entry.chat_id && news.message > entry.last_message_id);

    return {
      id: entry.chat_id, anons: entry.anons_id, other: entry.login, title: entry.title,
      all: entry.AllMsgs + later.length,
      unread: entry.NewMsgs + later.filter((news) => news.unread).length,
      upto: Math.max(entry.last_message_id, ...later.map((news) => news.message)),
      online: Boolean(entry.online),
    };
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

    for (const news of this.#told)
      if (news.chat === id)
        news.unread = false;
    if (chat === undefined || chat.unread === 0)
      return;
    chat.unread = 0;
    this.tell("changed");
  }

  // open: we have joined it.
  #news(id, author, message, open) {
    const chat = this.find(id), unread = !open && author !== this.login.username;

    if (this.#loading > 0 && !this.#told.some((news) => news.chat === id && news.message === message))
      this.#told.push({ chat: id, message, unread });
    if (chat === undefined)
      return;
    if (message > chat.upto) {
      chat.upto = message;
      chat.all++;
      if (unread)
        chat.unread++;
    }
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
