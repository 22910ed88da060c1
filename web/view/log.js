// SPDX-License-Identifier: MIT
//
// The messages of the open chat: one article each, days between them, what is unsent below.

import { $, drawing, el, fill, say, visible } from "./dom.js";
import { isPicture } from "../model/outbox.js";
import { dayOf, sameDay, timeOf } from "./format.js";

const NEAR = 80;            // pixels from an end of the log that count as being there
const GROUP_MS = 5 * 60000; // messages of one author within this time stand together

export function showLog(room, login, pictures) {
  const log = $("log");
  const gallery = startGallery(log, pictures);
  let shown = null, newest = 0;

  const draw = drawing(() => {
    const history = room.history;
    const another = shown !== room.id;
    const below = another || atEnd(log);
    const height = log.scrollHeight, top = log.scrollTop;

    if (another) {
      log.replaceChildren();
      shown = room.id;
      newest = 0;
    }
    log.setAttribute("aria-busy", String(room.loading));
    if (history === undefined)
      return;
    const rows = rowsOf(history, room.outbox.of(room.id), room.loading);
    const first = log.querySelector("article")?.dataset.key;

    fill(log, rows, (row) => row.key, (row) => makeRow(row, room, login, gallery),
      (node, row) => updateRow(node, row, room, gallery));
    const last = rows.at(-1), last_key = last?.key ?? 0;
    const mine = last?.pending !== undefined && last_key !== newest;

    if (below || mine)
      log.scrollTop = log.scrollHeight;
    else if (first !== undefined && first !== log.querySelector("article").dataset.key)
      log.scrollTop = top + log.scrollHeight - height; // older ones came above
    $("newest").hidden = below || mine || (last_key === newest && $("newest").hidden);
    newest = last_key;
  });

  room.on("changed", draw);
  log.addEventListener("scroll", () => {
    if (atEnd(log))
      $("newest").hidden = true;
    if (log.scrollTop < NEAR && room.history?.begun)
      room.loadOlder();
  });
  $("newest").addEventListener("click", () => {
    log.scrollTop = log.scrollHeight;
    $("message").focus();
  });
  new ResizeObserver(() => {
    // The keyboard of a phone, or a second line in the field, takes room from below.
    if ($("newest").hidden)
      log.scrollTop = log.scrollHeight;
  }).observe(log);
}

function atEnd(log) {
  return log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
}

// ---- what is to be shown, row by row ----

function rowsOf(history, pending, loading) {
  const rows = [];
  let before = null;

  if (history.more)
    rows.push({ key: "more", kind: "more" });
  for (const message of history.sorted) {
    if (before === null || !sameDay(before.time, message.time))
      rows.push({ key: `day-${message.id}`, kind: "day", text: dayOf(message.time) });
    rows.push({ key: message.row, kind: "message", message, follows: follows(before, message) });
    before = message;
  }
  for (const entry of pending)
    rows.push({ key: entry.key, kind: "message", pending: entry, follows: false });
  if (rows.length === 0)
    rows.push({ key: `empty-${loading}`, kind: "empty",
      text: loading ? "Loading…" : "No messages yet. Say hello." });
  return rows;
}

function follows(before, message) {
  return before !== null && before.author === message.author &&
    sameDay(before.time, message.time) && message.time - before.time < GROUP_MS;
}

function makeRow(row, room, login, gallery) {
  switch (row.kind) {
  case "more":
    return el("p", { class: "older" }, el("button", {
      type: "button", class: "quiet", onclick: () => room.loadOlder() }, "Earlier messages"));
  case "day":
    return el("p", { class: "day" }, row.text);
  case "empty":
    return el("p", { class: "empty" }, row.text);
  default:
    return row.pending === undefined
      ? makeMessage(row.message, login, gallery) : makePending(row.pending, room);
  }
}

function updateRow(node, row, room, gallery) {
  if (row.kind !== "message")
    return;
  node.classList.toggle("follows", row.follows);
  if (row.pending !== undefined)
    updatePending(node, row.pending, room.outbox);
  else if (node.classList.contains("pending"))
    settle(node, row.message, gallery);
}

// ---- a message ----

function makeMessage(message, login, gallery) {
  const mine = message.author === login.username;
  const article = el("article", { class: mine ? "message mine" : "message" },
    el("p", { class: "author" }, message.author));

  if (message.text !== "")
    article.append(el("p", { class: "text", dir: "auto" }, message.text));
  if (message.image !== 0)
    article.append(gallery.make(message));
  article.append(makeTime(message));
  return article;
}

function makeTime(message) {
  return el("time", { class: "time", datetime: new Date(message.time).toISOString() },
    timeOf(message.time));
}

// ---- pictures ----

// Lists bring small pictures along.  Without one, the whole is fetched when it comes into
// sight; and it is what a click shows.
function startGallery(log, pictures) {
  const images = new WeakMap(); // <img>: its message
  const eye = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting)
        continue;
      eye.unobserve(target);
      load(target, images.get(target));
    }
  }, { root: log, rootMargin: "400px" });

  async function load(image, message) {
    try {
      image.src = await pictures.url(message.image);
    } catch {
      image.classList.add("lost");
    }
  }

  function make(message) {
    const image = el("img", { alt: message.name || "Picture" });

    images.set(image, message);
    if (message.thumb !== "")
      image.src = message.thumb;
    else
      eye.observe(image);
    return el("a", { class: "picture", href: "#", onclick: (event) => {
      event.preventDefault();
      enlarge(message, image.src);
    } }, image);
  }

  async function enlarge(message, small) {
    const view = $("viewer-image");

    view.src = small;
    view.alt = $("viewer-save").download = visible(message.name);
    $("viewer").showModal();
    view.src = $("viewer-save").href = await pictures.url(message.image).catch(() => small);
  }

  return { make };
}

// ---- one that is not sent yet ----

function makePending(entry, room) {
  const article = el("article", { class: "message mine pending" },
    el("p", { class: "author" }, entry.user));

  if (isPicture(entry))
    article.append(el("span", { class: "picture" }, el("img", { alt: entry.name })));
  else
    article.append(el("p", { class: "text", dir: "auto" }, entry.text));
  article.append(
    el("p", { class: "state" }),
    el("div", { class: "row repair" },
      el("button", { type: "button", class: "quiet", onclick: () => room.outbox.retry(entry.key) },
        "Try again"),
      el("button", { type: "button", class: "quiet", onclick: () => room.outbox.discard(entry.key) },
        "Discard")));
  return article;
}

function updatePending(article, entry, outbox) {
  const image = article.querySelector("img");

  // Behind a reload the browser brings it a little later.
  if (entry.file !== undefined && image !== null && !image.hasAttribute("src"))
    image.src = URL.createObjectURL(entry.file);
  article.classList.toggle("failed", entry.problem !== "");
  say(article.querySelector(".state"), stateOf(entry, outbox));
  article.querySelector(".repair").hidden = entry.problem === "";
}

function stateOf(entry, outbox) {
  if (entry.problem !== "")
    return `${entry.sent ? "Perhaps not sent" : "Not sent"}: ${entry.problem}`;
  if (entry.sent)
    return "Sending…";
  return outbox.isKept(entry) ? "Waiting to be sent"
    : "Waiting to be sent. This browser cannot keep it: do not close or reload the page.";
}

// It is stored: the same article goes on as a message like others, so that it is read
// aloud once and nothing jumps.
function settle(article, message, gallery) {
  const picture = article.querySelector(".picture");

  article.classList.remove("pending", "failed");
  article.querySelector(".state").remove();
  article.querySelector(".repair").remove();
  if (picture !== null) {
    URL.revokeObjectURL(picture.firstElementChild.src);
    picture.replaceWith(gallery.make(message));
  }
  article.append(makeTime(message));
}
