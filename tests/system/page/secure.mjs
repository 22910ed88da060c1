// SPDX-License-Identifier: MIT
//
// The web page over TLS, on the same port, with the certificate that the server made for
// itself and a browser that was told to take it:
//   node secure.mjs FOLDER-WITH-NODE_MODULES PORT SCREENSHOTS PICTURE CHROMIUM
// What it wants done to the server it says (node_play.h); the exit status says whether all
// was as it should be.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

import { Person } from "./person.mjs";

const [folder, port, , picture, program] = process.argv.slice(2);
const { chromium } = createRequire(path.resolve(folder, "package.json"))("playwright-core");
const WAIT = 15000 * Number(process.env.SLOW ?? 1);

const browser = await chromium.launch({
  executablePath: program,
  args: ["--no-sandbox", "--disable-gpu", "--ignore-certificate-errors"],
});

async function comes(name) {
  const person = await Person.at(browser, `https://127.0.0.1:${port}/`);
  person.context.setDefaultTimeout(WAIT);
  person.page.setDefaultTimeout(WAIT);
  // Whatever comes from here on goes over TLS, too.
  person.page.on("request", (request) => {
    if (/^(http|ws):/.test(request.url())) person.wrong.push(request.url());
  });
  person.sockets = [];
  person.page.on("websocket", (socket) => person.sockets.push(socket.url()));
  await person.page.reload();
  await person.connected();
  await person.register(name);
  return person;
}

const alice = await comes("alice"), bob = await comes("bob");
await alice.post("Bicycle for sale", "Red.");
await bob.ask("Bicycle for sale");
await bob.say("Is it still there?");
await (await alice.chat("bob", "1 new", "online")).waitFor();
await alice.open("bob");
await alice.hears("bob", "Is it still there?");
await bob.page.getByLabel("Picture", { exact: true }).setInputFiles(picture);
const image = alice.log().getByRole("img", { name: "picture.png", exact: true });
await image.waitFor();
await image.evaluate((img) => img.decode());
// The server goes and comes back, with the same certificate.
console.log("do: stop");
await Promise.all([alice.disconnected(), bob.disconnected()]);
await bob.say("written without a server");
console.log("do: start");
await alice.hears("bob", "written without a server");
for (const person of [alice, bob]) {
  await person.connected();
  person.check();
  assert.ok(await person.page.evaluate(() => isSecureContext && location.protocol === "https:"));
  assert.ok(person.sockets.length > 0 && person.sockets.every((url) => url.startsWith("wss:")), `${person.sockets}`);
}
await browser.close();
process.exit(0);
