// SPDX-License-Identifier: MIT
//
// What was begun in each chat and not sent: it is still there behind a look at another chat,
// and behind a reload of the page, but not for the next user.

import { read, remove, write } from "./shelf.js";

const KEY = "quintet-drafts";

export class Drafts {
  constructor(login) {
    const found = read("session", KEY);
    const texts = found?.user === login.username ? found?.texts : null;

    this.login = login;
    this.texts = new Map(Object.entries(texts ?? {}) // chat id: text
      .filter(([, text]) => typeof text === "string").map(([id, text]) => [Number(id), text]));
    login.on("out", () => {
      this.texts.clear();
      remove("session", KEY);
    });
  }

  of(chat) {
    return this.texts.get(chat) ?? "";
  }

  set(chat, text) {
    if (text === "")
      this.texts.delete(chat);
    else
      this.texts.set(chat, text);
    write("session", KEY, { user: this.login.username, texts: Object.fromEntries(this.texts) });
  }
}
