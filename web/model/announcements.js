// SPDX-License-Identifier: MIT
//
// The announcements, newest first, as far as somebody has looked.

import { Signal } from "./signal.js";

const PAGE = 30;

export class Announcements extends Signal {
  constructor(connection, login) {
    super();
    this.connection = connection;
    this.list = [];      // {id, author, title, text, time}
    this.loaded = false; // the newest ones are there
    this.more = false;   // there are older ones on the server
    connection.on("anons-added", ([id, author, title, text, time]) =>
      this.#merge([{ id, author, title, text, time }]));
    login.on("in", () => this.#load(0));
    login.on("out", () => this.#forget());
  }

  // "": it worked; else why not.
  async post(title, text) {
    const [id, message] =
      await this.connection.ask("new-anons", "new-anons-response", title, text);

    return id === -1 ? message : "";
  }

  loadMore() {
    return this.#load(this.list.at(-1)?.id ?? 0);
  }

  async #load(before) {
    const [length, entries] =
      await this.connection.ask("get-anons", "anons-list", before, PAGE).catch(() => [-1]);

    if (length < 0)
      return; // lost; the next login asks again
    const fresh = entries.map((entry) => ({
      id: entry.anons_id, author: entry.username, title: entry.title, text: entry.text,
      time: entry.datetime,
    }));

    // Behind a long absence, what is known may not reach the newest page any more.
    if (before === 0 && this.loaded && fresh.length === PAGE &&
        !this.list.some((known) => known.id === fresh.at(-1).id))
      this.list = [];
    if (before !== 0 || this.list.length === 0)
      this.more = fresh.length === PAGE;
    this.loaded = true;
    this.#merge(fresh);
  }

  #merge(fresh) {
    const by_id = new Map([...this.list, ...fresh].map((entry) => [entry.id, entry]));

    this.list = [...by_id.values()].sort((a, b) => b.id - a.id);
    this.tell("changed");
  }

  #forget() {
    this.list = [];
    this.loaded = this.more = false;
    this.tell("changed");
  }
}
