// SPDX-License-Identifier: MIT
//
// What is shown is in the address (#announcements, #chats, #chat/7): so the browser's
// "back" leaves a chat, and a reload comes back to it.

import { $ } from "./dom.js";

export function goTo(view, id) {
  const hash = id === undefined ? `#${view}` : `#${view}/${id}`;

  if (location.hash === hash)
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  else
    location.hash = hash;
}

export function startRoutes(login, chats, room) {
  function follow() {
    const [view, id] = location.hash.slice(1).split("/");

    if (login.username === null)
      return;
    if (view === "chat" && /^\d{1,15}$/.test(id)) {
      $("house").dataset.view = "chat";
      room.open(Number(id));
      return;
    }
    $("house").dataset.view = view === "chats" ? "chats" : "announcements";
    for (const tab of ["announcements", "chats"])
      $(`tab-${tab}`).setAttribute("aria-current", String(tab === $("house").dataset.view));
    room.close();
  }

  window.addEventListener("hashchange", follow);
  login.on("changed", follow);
  $("tab-announcements").addEventListener("click", () => goTo("announcements"));
  $("tab-chats").addEventListener("click", () => goTo("chats"));
  $("chat-back").addEventListener("click", () => goTo("chats"));
  chats.on("removed", (gone) => {
    if (location.hash === `#chat/${gone}`)
      goTo("chats");
  });
}
