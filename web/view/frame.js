// SPDX-License-Identifier: MIT
//
// The bar at the top, what the server has to say to everybody, and which half of the page
// is shown.

import { $, drawing, say } from "./dom.js";
import { ask } from "./question.js";

const WORDS = {
  connected: "Connected",
  connecting: "Connecting…",
  ended: "Not reconnecting",
};

export function showConnection(connection, login, outbox) {
  let been_up = false;

  const draw = drawing(() => {
    const again = been_up && connection.state === "connecting";

    been_up ||= connection.connected;
    say($("connection"), again ? "Reconnecting…" : WORDS[connection.state]);
    $("connection").dataset.state = connection.state;
    $("me").hidden = $("logout").hidden = login.username === null;
    say($("me"), login.username ?? "");
    $("me").title = login.username ?? "";
    $("door").hidden = login.username !== null;
    $("house").hidden = login.username === null;
  });

  // What the browser could not keep is lost with the page, so it asks first.
  window.addEventListener("beforeunload", (event) => {
    if (outbox.list.some((entry) => !outbox.isKept(entry)))
      event.preventDefault();
  });
  connection.on("state", draw);
  login.on("changed", draw);
  $("logout").addEventListener("click", async () => {
    if (outbox.list.length === 0 || await ask(
      "Some of your messages are not sent yet. They are lost when you log out.", "Stay", "Log out"))
      login.leave();
  });
  draw();
}

// What everybody has to see, wherever they are; "": it was seen.
export function notice(text) {
  $("notice").hidden = text === "";
  say($("notice-text"), text);
}

export function showNotice(connection, login) {
  connection.on("notice", ([text]) => notice(text));
  login.on("out", () => notice("")); // the form says it then
  $("notice-close").addEventListener("click", () => notice(""));
}
