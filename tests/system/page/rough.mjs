// SPDX-License-Identifier: MIT
//
// The web page when things go wrong (stage.mjs says how it is started).
import assert from "node:assert/strict";

import { PASSWORD } from "./person.mjs";
import { DESKTOP, PHONE, at, picture, play, shots } from "./stage.mjs";

const send = async (person, text) => {
  await person.role("textbox", "Message").fill(text);
  await person.role("button", "Send").click();
};
const sendPicture = (person, files) => person.page.getByLabel("Picture", { exact: true }).setInputFiles(files);
const told = (person, text) => person.page.getByRole("alert").filter({ hasText: text }).waitFor();
const away = async (person) => {
  await person.context.setOffline(true);
  await person.disconnected();
};

async function beginning(alice, bob) {
  await alice.register("alice");
  await bob.register("bob");
  await alice.post("Bicycle", "");
  await bob.ask("Bicycle");
  await bob.say("hello");
  await alice.open("bob");
}

// Text and pictures that were written without a network arrive once, in their order, after
// a reload of the page.
async function reloaded(alice, bob) {
  await away(bob);
  await send(bob, "before it");
  await sendPicture(bob, picture);
  await send(bob, "behind it");
  await bob.article("behind it").waitFor();
  // The browser has it, so nothing is said of a loss.
  await bob.page.waitForFunction(() => new Promise((found) => {
    const opening = indexedDB.open("quintet-unsent");
    opening.onsuccess = () => {
      const count = opening.result.transaction("files").objectStore("files").count();
      count.onsuccess = () => found(count.result === 1);
    };
  }));
  assert.equal(await bob.page.getByText(/cannot keep/).count(), 0);
  await bob.picture(shots, "waiting-phone");
  await bob.context.setOffline(false);
  await bob.page.reload();
  await bob.connected();
  await alice.hears("bob", "behind it");
  const texts = (await alice.log().getByRole("article").allInnerTexts()).map((text) => text.split("\n")[2] ?? "");
  assert.deepEqual(texts.filter((text) => / it$/.test(text)), ["before it", "behind it"]);
  for (const person of [alice, bob]) {
    await person.sees("picture.png");
    assert.equal(await person.log().getByRole("img", { name: "picture.png", exact: true }).count(), 1);
  }
  await bob.page.getByText(/Waiting|Sending/).first().waitFor({ state: "detached" });
}

// A browser without IndexedDB says what a reload would lose, and sends it all the same.
async function unkept(alice) {
  const carol = await at({ ...PHONE, colorScheme: "light" });

  await carol.page.addInitScript(() => Object.defineProperty(globalThis, "indexedDB", { value: undefined }));
  await carol.page.reload();
  await carol.register("carol");
  await carol.ask("Bicycle");
  await (await alice.chat("carol")).waitFor();
  await carol.say("hello");
  await away(carol);
  await sendPicture(carol, picture);
  await carol.page.getByText(/cannot keep it/).waitFor();
  await carol.fits();
  await carol.picture(shots, "unkept-phone");
  await carol.context.setOffline(false);
  await carol.connected();
  await (await alice.chat("carol", "2 new")).waitFor();
  await carol.page.getByText(/cannot keep it/).waitFor({ state: "detached" });
  carol.check();
  await carol.context.close();
}

// What somebody put into the browser's storage is no reason to stop.
async function junk(alice, bob) {
  await alice.open("bob");
  for (const value of ["{}", "\"text\"", "[1, null, {}, {\"key\": 1}]", "not even JSON"]) {
    await bob.page.evaluate((text) => sessionStorage.setItem("quintet-unsent", text), value);
    await bob.page.reload();
    await bob.connected();
    await bob.log().waitFor();
  }
  await bob.say("still here");
  await alice.hears("bob", "still here");
}

// What was begun stays with its chat, over a reload too, until it is sent.
async function begun(alice, bob) {
  const field = bob.role("textbox", "Message");

  await field.fill("not yet");
  await bob.page.reload();
  await bob.connected();
  await bob.log().waitFor();
  assert.equal(await field.inputValue(), "not yet");
  await bob.role("button", "Send").click();
  await alice.hears("bob", "not yet");
  await bob.page.evaluate(() => sessionStorage.setItem("quintet-drafts",
    JSON.stringify({ user: "bob", texts: { 1: {}, x: "y" } })));
  await bob.page.reload();
  await bob.log().waitFor();
  assert.equal(await field.inputValue(), "");
}

// What nobody sees must not turn round the rest.
async function unseen(alice, bob) {
  await send(bob, "photo\u202egpj.exe");
  await alice.article("photo\\u{202e}gpj.exe").waitFor();
}

async function tooMuch(alice) {
  await alice.page.evaluate(() => { // made there: it is long on its way
    const files = new DataTransfer(), field = document.querySelector("input[type=file]");
    files.items.add(new File([new Uint8Array(9 << 20)], "huge.png", { type: "image/png" }));
    field.files = files.files;
    field.dispatchEvent(new Event("change"));
  });
  await told(alice, /8\.0 MiB.*9\.0 MiB/);
  await sendPicture(alice, { name: "setup.exe", mimeType: "application/x-msdownload", buffer: Buffer.from("MZ") });
  await told(alice, /PNG, JPEG, GIF or WebP/);
  await send(alice, "ü".repeat(8193));
  await told(alice, /too long/);
  assert.equal((await alice.role("textbox", "Message").inputValue()).length, 8193);
  await alice.role("textbox", "Message").fill("");
}

// A chat that is deleted under one's hands: what was begun is not lost without a word.
async function deleted(alice, bob) {
  await bob.role("textbox", "Message").fill("half a thou");
  await alice.role("button", "Delete chat").focus();
  await alice.page.keyboard.press("Enter");
  await alice.page.keyboard.press("Escape");
  await alice.page.waitForFunction(() => document.activeElement.ariaLabel === "Delete chat");
  await alice.page.evaluate(() => { // asked again before the event of Escape is there
    const button = document.getElementById("chat-delete");
    button.click();
    document.getElementById("question").close("no");
    button.click();
  });
  await alice.role("button", "Delete").press("Enter");
  await alice.page.getByText("This chat was deleted.").waitFor();
  await alice.page.waitForFunction(() => document.activeElement.closest("#chats, .tabs") !== null);
  await told(bob, /The chat with alice was deleted.*half a thou/);
  await bob.fits();
  await bob.picture(shots, "deleted-phone");
  await bob.role("button", "Dismiss").click();
  // And one that is deleted while what was written there waits.
  await bob.ask("Bicycle");
  await away(bob);
  await send(bob, "into the void");
  await alice.open("bob");
  await alice.role("button", "Delete chat").click();
  await alice.role("button", "Delete").click();
  await bob.context.setOffline(false);
  await told(bob, /Not sent.*into the void/);
  // Nothing keeps bob from leaving.
  await bob.role("button", "Log out").click();
  await bob.role("button", "Log in").waitFor();
}

async function atTheDoor(alice, bob) {
  await bob.fillIn("n".repeat(64), PASSWORD);
  await bob.role("button", "Register").click();
  await told(bob, /1 to 32/);
  await bob.fillIn("bert", "short");
  await bob.role("button", "Register").click();
  await told(bob, /at least 8/);
  await bob.page.evaluate(() => sessionStorage.setItem("quintet-login", "{\"username\": 7}"));
  await bob.page.reload();
  await bob.connected();
  await bob.logIn("bob");
  await alice.role("button", "Log out").press("Enter");
  await alice.page.waitForFunction(() => document.activeElement.id === "user-name");
}

await play([beginning, reloaded, unkept, junk, begun, unseen, tooMuch, deleted, atTheDoor],
  Object.assign(await at(DESKTOP), { name: "alice" }), Object.assign(await at(PHONE), { name: "bob" }));
