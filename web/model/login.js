// SPDX-License-Identifier: MIT
//
// Who is logged in here.  The server gives a token for a password; the page keeps the
// token, never the password: in this tab (sessionStorage), or in this browser
// (localStorage) when the person asked for it.  Each new connection shows it.
//
// Tells: "changed"; "in" after each login, also after the one of a new connection; "out"
// when the user has left.

import { Signal } from "./signal.js";
import { parse, read, remove, write } from "./shelf.js";

const KEY = "quintet-login";

// What the server begins with when another login would not help.
const BANNED = "You are banned";

// Somebody who may log in, or null.
function readEntry(which) {
  const entry = read(which, KEY);

  return typeof entry?.username === "string" && typeof entry.token === "string" ? entry : null;
}

// Is it remembered by this browser?  Another tab may have put somebody else there.
function kept(entry) {
  return readEntry("local")?.token === entry.token;
}

function store(entry, keep) {
  write(keep ? "local" : "session", KEY, entry);
}

function forget(entry) {
  for (const which of ["session", "local"])
    if (readEntry(which)?.token === entry.token)
      remove(which, KEY);
}

export class Login extends Signal {
  constructor(connection) {
    super();
    this.connection = connection;
    // {username, token} that may log in, or null
    this.entry = readEntry("session") ?? readEntry("local");
    this.online = false;    // the server knows us on the connection at hand
    this.problem = "";      // why somebody who was logged in is not any more
    this.last_notice = "";  // what the server said last to everybody here
    connection.auth = () => (this.entry === null ? {} : { token: this.entry.token });
    connection.on("up", () => this.#resume());
    connection.on("down", () => this.#lost());
    connection.on("notice", ([text]) => { this.last_notice = text; });
    connection.on("state", () => this.#judge());
    window.addEventListener("storage", (event) => this.#hear(event));
    connection.on("auth-response", ([status, reason]) => {
      if (status !== 1 && reason === "Unauthorized" && this.online)
        this.#leave("Please log in again.");
    });
  }

  // What this browser remembered is gone: another tab has logged out.
  #hear({ key, oldValue, newValue }) {
    if (key === KEY && newValue === null && this.entry !== null &&
        parse(oldValue)?.token === this.entry.token)
      this.leave("You have logged out in another tab.");
  }

  get username() {
    return this.entry?.username ?? null;
  }

  // "": it worked; else why not.
  async enter(username, password, keep) {
    const words = password === "" ? [username] : [username, password];
    const [status, message, given] =
      await this.connection.ask("auth-request", "auth-response", ...words);

    if (status !== 1)
      return message;
    this.#enter(given, keep);
    return "";
  }

  async register(username, password, keep) {
    const [status, message] =
      await this.connection.ask("register", "register-response", username, password);

    return status === 1 ? this.enter(username, password, keep) : message;
  }

  // The server forgets the token; without a connection it stays good until it expires.
  async leave(why = "") {
    try {
      if (this.online)
        await this.connection.ask("logout", "logout-response");
    } catch {
      // Then this is all that can be done.
    }
    this.#leave(why);
  }

  // A new connection has shown the token: the first thing to come says whether it is good.
  async #resume() {
    if (this.entry === null)
      return;
    try {
      const [status, reason, given] = await this.connection.await("auth-response");

      if (status === 1)
        this.#enter(given, kept(this.entry));
      else
        this.#leave(reason.startsWith(BANNED) ? reason : "Please log in again.");
    } catch {
      // The connection has gone; the next one shows it again.
    }
  }

  // A server that ends the connection for good says before why.
  #judge() {
    if (this.connection.state === "ended")
      this.#leave(this.last_notice === "" ? "The server has ended this session."
        : `The server has ended this session: ${this.last_notice}`);
    else if (this.connection.connected)
      this.last_notice = "";
  }

  #enter(given, keep) {
    this.entry = { username: given.username, token: given.token };
    store(this.entry, keep);
    Object.assign(this, { online: true, problem: "" });
    this.tell("in");
    this.tell("changed");
  }

  #leave(problem) {
    const was_in = this.entry !== null;

    if (was_in)
      forget(this.entry);
    this.entry = null;
    Object.assign(this, { online: false, problem });
    if (was_in)
      this.tell("out");
    this.tell("changed");
  }

  #lost() {
    this.online = false;
    this.tell("changed");
  }
}
