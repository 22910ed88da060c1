// SPDX-License-Identifier: MIT
//
// The announcements, and the form that posts one.

import { $, drawing, el, fill, say } from "./dom.js";
import { hueOf, whenOf } from "./format.js";
import { goTo } from "./routes.js";

const LONG = 400; // characters of a text that is shown in part at first

export function showAnnouncements(announcements, login, chats) {
  const draw = drawing(() => {
    fill($("announcements"), announcements.list, (entry) => entry.id,
      (entry) => makeEntry(entry, login, chats), () => {});
    $("announcements-more").hidden = !announcements.more;
    $("announcements-empty").hidden = announcements.list.length > 0;
    say($("announcements-empty"), announcements.loaded
      ? "Nothing here yet. The first announcement could be yours." : "Loading…");
  });

  announcements.on("changed", draw);
  $("announcements-more").addEventListener("click", () => announcements.loadMore());
  $("post").addEventListener("submit", (event) => {
    event.preventDefault();
    post(announcements);
  });
  draw();
}

async function post(announcements) {
  const title = $("post-title"), text = $("post-text");
  let problem;

  if (title.value.trim() === "") {
    say($("post-error"), "Type a title.");
    title.focus();
    return;
  }
  $("post-button").disabled = true;
  try {
    problem = await announcements.post(title.value, text.value);
  } catch (lost) {
    problem = `${lost.message} Your text is still here.`;
  }
  $("post-button").disabled = false;
  say($("post-error"), problem);
  if (problem === "") {
    title.value = text.value = "";
    title.focus();
  }
}

function makeEntry(entry, login, chats) {
  const text = el("p", { class: "text", dir: "auto" }, entry.text);
  const item = el("li", { class: "card entry" },
    el("h3", { dir: "auto" }, entry.title),
    el("p", { class: "muted by" },
      el("span", { class: `dot ${hueOf(entry.author)}`, "aria-hidden": "true" }),
      el("span", { class: "author" }, entry.author),
      ` · ${whenOf(entry.time)}`),
    text);
  const row = el("div", { class: "row" });

  if (entry.text === "")
    text.remove();
  if (entry.text.length > LONG || entry.text.split("\n").length > 6)
    row.append(makeMore(text));
  if (entry.author !== login.username)
    row.append(makeAsk(entry, chats, item));
  if (row.hasChildNodes())
    item.append(row);
  return item;
}

function makeMore(text) {
  const button = el("button", {
    type: "button", class: "quiet", "aria-expanded": "false",
    onclick: () => {
      const whole = !text.classList.toggle("cut");

      button.setAttribute("aria-expanded", String(whole));
      say(button, whole ? "Show less" : "Show all");
    },
  }, "Show all");

  text.classList.add("cut");
  return button;
}

function makeAsk(entry, chats, item) {
  const error = el("p", { class: "error", role: "alert" });

  item.append(error);
  return el("button", {
    type: "button",
    onclick: async () => {
      try {
        say(error, "");
        goTo("chat", await chats.ask(entry.id));
      } catch (problem) {
        say(error, problem.message);
      }
    },
  }, "Ask");
}
