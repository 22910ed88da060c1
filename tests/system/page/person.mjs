// SPDX-License-Identifier: MIT
//
// Somebody at the web page: what a person sees and does there, by the roles and names that
// the page promises to keep.
import assert from "node:assert/strict";

export const PASSWORD = "a long password";

export class Person {
  // options: playwright's, of a browser context: viewport, colorScheme ...
  static async at(browser, url, options = {}) {
    const person = new Person();
    person.context = await browser.newContext(options);
    person.url = url;
    await person.arrive();
    return person;
  }

  // In a new tab.
  async arrive() {
    this.page = await this.context.newPage(); // which waits as long as the context
    this.wrong = [];
    this.page.on("dialog", (dialog) => {
      this.wrong.push(`dialog ${dialog.message()}`);
      dialog.dismiss();
    });
    this.page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) this.wrong.push(message.text());
    });
    this.page.on("pageerror", (error) => this.wrong.push(String(error)));
    await this.page.goto(this.url);
    await this.connected();
  }

  // Nothing on the page went wrong, and nothing that was written there has run.
  check() {
    assert.deepEqual(this.wrong, []);
  }

  role(role, name, exact = true) {
    return this.page.getByRole(role, { name, exact });
  }

  connection() {
    return this.role("status", "Connection");
  }

  async connected() {
    await this.connection().filter({ hasText: /^Connected$/ }).waitFor();
  }

  async disconnected() {
    await this.connection().filter({ hasText: /onnecting/ }).waitFor();
  }

  async fillIn(name, password) {
    await this.role("textbox", "User name").fill(name);
    await this.page.getByLabel("Password", { exact: true }).fill(password);
  }

  async logIn(name, password = PASSWORD) {
    await this.fillIn(name, password);
    await this.role("button", "Log in").click();
    await this.role("button", "Log out").waitFor();
  }

  // Register, and be logged in.
  async register(name) {
    this.name = name;
    await this.fillIn(name, PASSWORD);
    await this.role("button", "Register").click();
    await this.role("button", "Log out").waitFor();
    await this.page.getByText(name, { exact: true }).first().waitFor();
  }

  // Announcements or Chats.  The list may be in sight already, or be empty and so have no
  // place; on a phone an open chat may have to be left first.
  async view(name) {
    const list = this.role("list", name);
    if (await list.isVisible()) return list;
    const way = this.role("button", name).or(this.role("tab", name)).or(this.role("link", name));
    await way.first().click();
    return list;
  }

  async post(title, text) {
    await this.view("Announcements");
    await this.role("textbox", "Title").fill(title);
    await this.role("textbox", "Text").fill(text);
    await this.role("button", "Post").click();
    await (await this.announcement(title)).waitFor();
  }

  async announcement(title) {
    return (await this.view("Announcements")).getByRole("listitem").filter({ hasText: title }).first();
  }

  async ask(title) {
    await (await this.announcement(title)).getByRole("button", { name: "Ask" }).click();
    await this.log().waitFor();
  }

  // The button of the chat with somebody; its name holds all of these words.
  async chat(...words) {
    let list = (await this.view("Chats")).getByRole("button");
    for (const word of words) {
      list = list.and(this.page.getByRole("button", { name: word }));
    }
    return list;
  }

  async open(...words) {
    await (await this.chat(...words)).click();
    await this.log().waitFor();
  }

  log() {
    return this.role("log", "Messages");
  }

  article(text) {
    return this.log().getByRole("article").filter({ hasText: text });
  }

  async say(text) {
    await this.role("textbox", "Message").fill(text);
    await this.role("button", "Send").click();
    await this.article(text).waitFor();
  }

  // The server has what was said: whoever asks now is told of it.
  async delivered(text) {
    await this.article(text).filter({ hasNotText: /Waiting|Sending/ }).waitFor();
  }

  async hears(author, text) {
    const article = this.article(text);
    await article.waitFor();
    assert.ok((await article.innerText()).includes(author));
  }

  // Pictures of that name are in the log, and can be seen.  One that has only begun to come,
  // or makes room for the same one from the server, cannot be decoded for a moment.
  async sees(name) {
    await this.page.waitForFunction(async (alt) => {
      const images = [...document.querySelectorAll("[role=log] img")].filter((image) => image.alt === alt);
      const seen = await Promise.allSettled(images.map((image) => image.decode()));
      return images.length > 0 && seen.every((one) => one.status === "fulfilled") &&
        images.every((image) => image.isConnected && image.naturalWidth > 0);
    }, name);
  }

  async titled(text) {
    await this.page.waitForFunction((title) => document.title === title, text);
  }

  // Nothing scrolls sideways.
  async fits() {
    const [has, may] = await this.page.evaluate(() =>
      [document.scrollingElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(has <= may, `${has} pixels on a page of ${may}`);
  }

  async picture(folder, name) {
    await this.page.screenshot({ path: `${folder}/${name}.png` });
  }
}
