// SPDX-License-Identifier: MIT
//
// The list of chats.  One button each, whose name says all that there is to see: with whom,
// about what, how much is new, and whether the other one is online.

import { $, drawing, el, fill, say } from "./dom.js";
import { hueOf } from "./format.js";
import { goTo } from "./routes.js";

export function showChats(chats, room) {
  const draw = drawing(() => {
    fill($("chats"), chats.list, (chat) => chat.id, makeChat,
      (item, chat) => updateChat(item, chat, room.id === chat.id));
    $("chats-empty").hidden = chats.list.length > 0;
    say($("chats-empty"), chats.loaded
      ? "No chats yet. Ask about an announcement to begin one." : "Loading…");
    $("tab-unread").hidden = chats.unread === 0;
    say($("tab-unread"), String(chats.unread));
  });

  chats.on("changed", draw);
  room.on("changed", draw);
  draw();
}

function makeChat(chat) {
  return el("li", {},
    el("button", { type: "button", class: "chat-button", onclick: () => goTo("chat", chat.id) },
      el("span", { class: `face ${hueOf(chat.other)}`, "aria-hidden": "true" },
        chat.other.slice(0, 1).toUpperCase()),
      el("span", { class: "words" },
        el("span", { class: "name" }, chat.other),
        el("span", { class: "about", dir: "auto" })),
      el("span", { class: "badge" })));
}

function updateChat(item, chat, open) {
  const button = item.firstElementChild;
  const parts = [chat.other];

  if (chat.title !== "")
    parts.push(chat.title);
  if (chat.unread > 0)
    parts.push(`${chat.unread} new`);
  if (chat.online)
    parts.push("online");
  button.setAttribute("aria-label", parts.join(", "));
  button.toggleAttribute("data-online", chat.online);
  if (open)
    button.setAttribute("aria-current", "true");
  else
    button.removeAttribute("aria-current");
  say(button.querySelector(".about"), chat.title || "Direct chat");
  say(button.querySelector(".badge"), chat.unread > 0 ? String(chat.unread) : "");
}
