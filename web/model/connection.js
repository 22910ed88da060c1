// SPDX-License-Identifier: MIT
//
// The connection to the server, by socket.io-client, which reconnects by itself: at once
// at first, then ever more slowly up to a few seconds, and not when the server said that
// it should not (after a kick).
//
// The protocol answers an event with another one: "get-anons" with "anons-list".  The
// server handles one connection's events in their order, so the first answer belongs to
// the first question that is open: `ask` turns both into one promise.  Nobody needs a
// timer for that: a server that is silent is noticed by the transport's heartbeat.
//
// Tells: "state" (connecting, connected, ended), "up" (connected, before anything
// else comes), "down", and each event of the server under its own name, with its
// arguments as a list.

import { Signal } from "./signal.js";

export class Lost extends Error {}

export class Connection extends Signal {
  constructor(io) {
    super();
    this.state = "connecting";
    this.open_questions = new Map(); // name of the answer: those who wait for it
    this.auth = () => ({});          // the payload of CONNECT; the login sets it
    this.socket = io({
      autoConnect: false,
      auth: (send) => send(this.auth()),
      reconnectionDelay: 300,
      reconnectionDelayMax: 5000,
    });
    this.socket.on("connect", () => this.#up());
    this.socket.on("disconnect", (reason) => this.#down(reason));
    this.socket.onAny((name, ...args) => this.#hear(name, args));
    // Who comes back to a network, or to this page, does not want to wait for the timer.
    window.addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => this.hurry());
  }

  get connected() {
    return this.state === "connected";
  }

  open() {
    if (this.state === "ended")
      this.#become("connecting");
    this.socket.connect();
  }

  // Do not wait for the timer of the next attempt.
  hurry() {
    const trying = ["opening", "open"].includes(this.socket.io.engine?.readyState);

    if (this.state === "connecting" && !document.hidden && !trying)
      this.socket.disconnect().connect();
  }

  // Send an event.  False: there is no connection, and it was not sent.
  say(name, ...args) {
    if (!this.connected)
      return false;
    this.socket.emit(name, ...args);
    return true;
  }

  // Send an event and wait for the one that answers it.  Rejects with Lost when the
  // connection ends first, so that nobody knows whether it was heard.
  ask(name, answer, ...args) {
    const answered = this.await(answer);

    if (!this.say(name, ...args))
      this.#lose(answer, "There is no connection.");
    return answered;
  }

  // The same for an answer that comes without a question.
  await(answer) {
    return new Promise((resolve, reject) => {
      const waiting = this.open_questions.get(answer) ?? [];

      this.open_questions.set(answer, [...waiting, { resolve, reject }]);
    });
  }

  #lose(answer, why) {
    for (const question of this.open_questions.get(answer)?.splice(0) ?? [])
      question.reject(new Lost(why));
  }

  #hear(name, args) {
    this.open_questions.get(name)?.shift()?.resolve(args);
    this.tell(name, args);
  }

  #up() {
    this.#become("connected");
    this.tell("up");
  }

  #down(reason) {
    for (const answer of this.open_questions.keys())
      this.#lose(answer, "The connection was lost.");
    this.#become(reason === "io server disconnect" ? "ended" : "connecting");
    this.tell("down");
  }

  #become(state) {
    this.state = state;
    this.tell("state");
  }
}
