// SPDX-License-Identifier: MIT
//
// The form of those who are not logged in.

import { $, focusSoon, say } from "./dom.js";

// What the server says in short.
const WORDS = {
  "User name invalid": "A user name has 1 to 32 letters (a to z), digits, '.', '_' or '-', and begins with " +
    "a letter or digit.",
  "Password invalid": "A password has at least 8 characters.",
  "Try later": "That was tried too often. Wait a little, then try again.",
};

export function showLogin(connection, login) {
  let busy = false;

  async function go(action) {
    const username = $("user-name").value.trim(), password = $("password").value;

    if (busy)
      return;
    if (username === "") {
      say($("login-error"), "Type a user name.");
      $("user-name").focus();
      return;
    }
    wait(true);
    say($("login-error"), "");
    const problem = await attempt(() => action(username, password, $("keep").checked));

    say($("login-error"), WORDS[problem] ?? problem);
    wait(false);
  }

  function wait(waiting) {
    busy = waiting;
    $("login").setAttribute("aria-busy", String(waiting));
  }

  // Whoever was thrown out, or is offline, may try at any time.
  async function attempt(action) {
    try {
      if (!connection.connected)
        await connected(connection);
      return await action();
    } catch (problem) {
      return `${problem.message} Please try again.`;
    }
  }

  $("login").addEventListener("submit", (event) => {
    event.preventDefault();
    go((...words) => login.enter(...words));
  });
  $("register-button").addEventListener("click", () => {
    go((...words) => login.register(...words));
  });
  login.on("in", () => {
    $("user-name").value = login.username; // for those who come back
    $("password").value = "";
    say($("login-error"), "");
  });
  login.on("out", () => {
    say($("login-error"), login.problem);
    focusSoon(() => $("user-name"));
  });
}

const PATIENCE_MS = 10000;

function connected(connection) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() =>
      reject(new Error("The server cannot be reached.")), PATIENCE_MS);

    connection.addEventListener("up", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
    connection.open();
  });
}
