// SPDX-License-Identifier: MIT
//
// The web page in a real browser, end to end (stage.mjs says how it is started).
import assert from "node:assert/strict";

import { PASSWORD, Person } from "./person.mjs";
import { DESKTOP, PHONE, SMALL, at, picture, play, port, server, shots, url } from "./stage.mjs";
import { Terminal } from "./terminal.mjs";

const EVIL = `<img src=x onerror=alert(1)><script>alert(2)</script>'"&`;
const LINES = 120; // more than the server lists at once
const WORD = "unbroken".repeat(40);

const stored = (person) => person.page.evaluate(() => [sessionStorage, localStorage].map((place) =>
  Object.values(place).some((value) => value.includes("token"))));

// ---- the acts, in this order: each goes on where the one before ended ----

async function comingIn(alice, bob) {
  // Errors are told, in role alert.
  await alice.fillIn("alice", PASSWORD);
  await alice.role("button", "Log in").click();
  await alice.page.getByRole("alert").filter({ hasText: /\S/ }).first().waitFor();
  await alice.fits();
  await alice.picture(shots, "login-light");
  await bob.fits();
  await bob.picture(shots, "login-dark");
  await alice.register("alice");
  await bob.register("bob");
  // The token is this tab's unless it was asked for.
  assert.deepEqual(await stored(alice), [true, false]);
  await alice.role("button", "Log out").click();
  await alice.role("button", "Log in").waitFor();
  assert.deepEqual(await stored(alice), [false, false]);
  await alice.page.getByLabel("Keep me logged in").check();
  await alice.logIn("alice");
  assert.equal((await stored(alice))[1], true);
}

// Two people, an announcement, a chat, a picture; whatever they write stays text.
async function talking(alice, bob) {
  await alice.post("Bicycle for sale", `Red. ${EVIL}`);
  await alice.post(EVIL, WORD);
  assert.equal(await (await alice.announcement("Bicycle")).getByRole("button", { name: "Ask" }).count(), 0);
  const entry = await bob.announcement("Bicycle for sale");
  assert.ok((await entry.innerText()).includes("alice"));
  assert.ok((await entry.innerText()).includes(EVIL));
  await bob.fits();
  await bob.picture(shots, "announcements-phone");
  await bob.ask("Bicycle for sale");
  await (await alice.chat("bob", "Bicycle for sale")).waitFor();
  await bob.say("Is it still there?");
  await (await alice.chat("bob", "Bicycle for sale", "1 new", "online")).waitFor();
  await alice.titled("(1) Quintet");
  await alice.open("bob");
  await alice.hears("bob", "Is it still there?");
  await (await alice.chat("bob")).filter({ hasNotText: /new/ }).waitFor();
  await alice.titled("Quintet");
  // Typing, and what Enter does.
  await alice.role("textbox", "Message").pressSequentially("Yes,");
  await bob.role("status", "Typing").filter({ hasText: "alice is typing" }).waitFor();
  await alice.role("textbox", "Message").press("Shift+Enter");
  await alice.role("textbox", "Message").pressSequentially("it is");
  await alice.role("textbox", "Message").press("Enter");
  await bob.hears("alice", "Yes,\nit is");
  assert.equal(await alice.role("textbox", "Message").inputValue(), "");
  await alice.say(EVIL);
  await bob.hears("alice", EVIL);
  await bob.say(WORD);
  await bob.fits();
  await bob.page.getByLabel("Picture", { exact: true }).setInputFiles(picture);
  for (const person of [alice, bob]) await person.sees("picture.png");
  await alice.picture(shots, "chat-desktop");
  await bob.picture(shots, "chat-phone-dark");
}

// One goes and comes back: it is still logged in, and knows what is new.
async function away(alice, bob) {
  await alice.page.close();
  await (await bob.chat("alice")).and(bob.page.getByRole("button", { name: /^(?!.*online)/ })).waitFor();
  await bob.open("alice");
  await bob.say("first while you were away");
  await bob.say("second while you were away");
  await bob.delivered("second while you were away");
  await alice.arrive();
  await alice.role("button", "Log out").waitFor();
  await (await alice.chat("bob", "2 new")).waitFor();
  await alice.titled("(2) Quintet");
  await alice.open("bob");
  await alice.hears("bob", "second while you were away");
  await alice.titled("Quintet");
  await (await bob.chat("alice", "online")).waitFor();
  await bob.open("alice");
}

// The server goes and comes back; what was written meanwhile arrives, once.
async function restarted(alice, bob) {
  await server("stop");
  await Promise.all([alice.disconnected(), bob.disconnected()]);
  await bob.say("written without a server");
  await bob.picture(shots, "reconnecting");
  await server("start");
  await Promise.all([alice.connected(), bob.connected()]);
  await alice.hears("bob", "written without a server");
  await alice.say("once more");
  await bob.hears("alice", "once more");
  for (const person of [alice, bob]) {
    assert.equal(await person.article("written without a server").count(), 1);
    assert.equal(await person.article("once more").count(), 1);
  }
}

// Somebody at a terminal, in contacts.
async function terminal(alice) {
  const carol = new Terminal(port), terminalOfAlice = new Terminal(port);

  await carol.ask(`117 carol "${PASSWORD}" "" ""`, "222 400");
  await carol.ask(`110 carol "${PASSWORD}"`, "212 400");
  await terminalOfAlice.ask(`110 alice "${PASSWORD}"`, "212 400");
  await carol.ask("121 alice", "232 400");
  await terminalOfAlice.ask("121 carol", "232 400");
  terminalOfAlice.close();
  await carol.ask("113 alice", "217 400");
  await (await alice.chat("carol", "online")).waitFor();
  const [, chat] = (await carol.ask("112", "215")).split(" ");
  await carol.ask(`115 ${chat} Hello from a <terminal>`, "219 400");
  await (await alice.chat("carol", "1 new")).waitFor();
  await alice.open("carol");
  await alice.hears("carol", "Hello from a <terminal>");
  await alice.say("Hello from a browser");
  assert.ok((await carol.hear(`220 ${chat}`)).endsWith(" Hello from a browser"));
  // A long history comes in parts, the newest first.
  for (let n = 1; n <= LINES; n++) carol.say(`115 ${chat} line ${n}.`);
  for (let n = 1; n <= LINES; n++) await carol.hear("219 400");
  carol.close();
  await alice.article(`line ${LINES}.`).waitFor();
  await alice.page.reload();
  await alice.connected();
  await alice.article(`line ${LINES}.`).waitFor();
  assert.ok(await alice.log().getByRole("article").count() < LINES);
  await alice.page.waitForFunction(() => {
    const log = document.querySelector("[role=log]");
    log.scrollTop = 0;
    return log.textContent.includes("Hello from a <terminal>");
  });
  assert.equal(await alice.log().getByRole("article").count(), LINES + 2);
  const texts = await alice.log().getByRole("article").allInnerTexts();
  assert.ok(texts.at(-1).includes(`line ${LINES}.`) && texts.at(2).includes("line 1."));
}

// What is no picture is refused by the server, whatever the browser takes it for; what is
// written next goes out all the same.
async function refused(alice, bob) {
  await alice.open("bob");
  await alice.page.getByLabel("Picture", { exact: true }).setInputFiles(
    { name: "fake.png", mimeType: "image/png", buffer: Buffer.from("<svg onload=alert(1)>") });
  await alice.page.getByText(/Neither PNG/).first().waitFor();
  await alice.say("That was none.");
  await bob.hears("alice", "That was none.");
  await alice.role("button", "Discard").click();
  await alice.page.getByText(/Neither PNG/).first().waitFor({ state: "detached" });
}

// Two tabs of one person: both hear, and what is read in one is read in the other.
async function twoTabs(alice, bob) {
  const other = new Person();
  other.context = alice.context;
  other.url = url;
  await other.arrive();
  await other.role("button", "Log out").waitFor();
  await bob.say("to both tabs");
  await alice.hears("bob", "to both tabs");
  await other.open("bob");
  await other.hears("bob", "to both tabs");
  await other.say("from the other tab");
  await alice.hears("alice", "from the other tab");
  await bob.hears("alice", "from the other tab");
  other.check();
  await other.page.close();
  await (await bob.chat("alice", "online")).waitFor();
  await bob.open("alice");
}

// A notice, and the end of a session for good.
async function told(alice, bob) {
  await server("say The lab closes at six");
  await alice.page.getByText("The lab closes at six").waitFor();
  await server("kick bob");
  await bob.role("button", "Log in").waitFor();
  await bob.page.getByRole("alert").filter({ hasText: /\S/ }).first().waitFor();
}

// Everything by Tab, Enter and typing, on 320 pixels; the first view is reached, too.
async function keyboard() {
  const dora = await at(SMALL);
  const focus = () => dora.page.evaluate(() => {
    const at = document.activeElement;
    const labels = [...(at.labels ?? [])].map((label) => label.textContent);
    return [at.getAttribute("aria-label") ?? labels[0] ?? at.textContent, at.closest("li")?.innerText ?? ""]
      .map((text) => text.trim());
  });
  // Press Tab until the control of that name has the focus.
  async function reach(name, inside = "") {
    const seen = [];
    for (let i = 0; i < 80; i++) {
      await dora.page.keyboard.press("Tab");
      const [found, around] = await focus();
      seen.push(found);
      if (found.match(name)?.[0] === found && around.includes(inside)) return;
    }
    assert.fail(`Tab does not reach ${name}, but ${seen}`);
  }
  const type = (text) => dora.page.keyboard.type(text);
  const press = (key) => dora.page.keyboard.press(key);

  await reach("User name");
  await type("dora");
  await reach("Password");
  await type(PASSWORD);
  await reach("Register");
  await press("Enter");
  await dora.role("button", "Log out").waitFor();
  await reach("Title");
  await type("By keyboard");
  await reach("Text");
  await type(WORD);
  await reach("Post");
  await press("Enter");
  await (await dora.announcement("By keyboard")).waitFor();
  await dora.fits();
  await reach("Ask", "Bicycle for sale");
  await press("Enter");
  await dora.log().waitFor();
  await reach("Message");
  await type("typed");
  await press("Enter");
  await dora.article("typed").waitFor();
  await reach("Picture");
  await reach("Send");
  await dora.fits();
  await dora.picture(shots, "chat-320");
  assert.equal(await dora.role("button", "Chats").getAttribute("aria-current"), "true");
  await reach("Back");
  await press("Enter");
  await dora.role("list", "Chats").waitFor();
  await dora.fits();
  await reach(/alice.*/);
  await press("Enter");
  await dora.log().waitFor();
  await reach("Log out");
  await press("Enter");
  await dora.role("button", "Log in").waitFor();
  await dora.fits();
  dora.check();
  await dora.context.close();
}

// An entry that moves up in its list keeps the focus.
async function moving(alice) {
  assert.ok(await alice.page.evaluate(async () => {
    const { el, fill } = await import("/view/dom.js");
    const list = document.body.appendChild(el("ul"));
    const draw = (...keys) => fill(list, keys, (key) => key, () => el("li", {}, el("button")), () => {});

    draw("first", "second");
    const button = list.lastElementChild.firstElementChild;
    button.focus();
    draw("second", "first");
    const kept = document.activeElement === button && list.firstElementChild.contains(button);
    list.remove();
    return kept;
  }));
}

// Light and dark are different.
async function colours(alice) {
  const paper = () => alice.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = (colour) => colour.match(/[\d.]+/g).slice(0, 3).reduce((sum, v) => sum + Number(v), 0) > 384;

  assert.ok(light(await paper()));
  await alice.page.emulateMedia({ colorScheme: "dark" });
  assert.ok(!light(await paper()));
  await alice.picture(shots, "chat-desktop-dark");
}

await play([comingIn, talking, away, restarted, terminal, refused, twoTabs, keyboard, moving, colours,
  told], await at(DESKTOP), await at(PHONE));
