// SPDX-License-Identifier: MIT
//
// A play (stage.mjs) over TLS, on the same port, with the certificate that the server made
// for itself and a browser that was told to take it.
import assert from "node:assert/strict";

import { at, DESKTOP, PHONE, picture, play, server, url } from "./stage.mjs";

const secure = url.replace("http:", "https:");

async function comes(name, options) {
  const person = await at({ ...options, ignoreHTTPSErrors: true });
  // From here on nothing goes without TLS.
  person.sockets = [];
  person.page.on("request", (request) => {
    if (!request.url().startsWith("https:") && !/^(data|blob):/.test(request.url())) person.wrong.push(request.url());
  });
  person.page.on("websocket", (socket) => person.sockets.push(socket.url()));
  person.url = secure;
  await person.page.goto(secure);
  await person.connected();
  await person.register(name);
  return person;
}

async function talking(alice, bob) {
  await alice.post("Bicycle for sale", "Red.");
  await bob.ask("Bicycle for sale");
  await (await alice.chat("bob", "Bicycle for sale")).waitFor();
  await bob.say("Is it still there?");
  await (await alice.chat("bob", "1 new", "online")).waitFor();
  await alice.open("bob");
  await alice.hears("bob", "Is it still there?");
  await bob.page.getByLabel("Picture", { exact: true }).setInputFiles(picture);
  await alice.sees("picture.png");
}

// The server comes back with the same certificate.
async function restarted(alice, bob) {
  await server("stop");
  await Promise.all([alice.disconnected(), bob.disconnected()]);
  await bob.say("written without a server");
  await server("start");
  await Promise.all([alice.connected(), bob.connected()]);
  await alice.hears("bob", "written without a server");
}

async function securely(...people) {
  for (const { page, sockets } of people) {
    assert.ok(await page.evaluate(() => isSecureContext && location.protocol === "https:"));
    assert.ok(sockets.length > 0 && sockets.every((address) => address.startsWith("wss:")), `${sockets}`);
  }
}

await play([talking, restarted, securely], await comes("alice", DESKTOP), await comes("bob", PHONE));
