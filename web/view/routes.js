// SPDX-License-Identifier: MIT
//
// What is shown is in the address (#announcements, #chats, #chat/7): so the browser's
// "back" leaves a chat, and a reload comes back to it.  Where there is room for a list
// beside the chat, the tabs choose the list and the chat stays.

import { $, focusSoon } from "./dom.js";

export function goTo(view, id) {
  const hash = id === undefined ? `#${view}` : `#${view}/${id}`;

  if (location.hash === hash)
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  else
    location.hash = hash;
}

const beside = matchMedia("(min-width: 45rem)"); // as in style.css

function showList(list) {
  $("house").dataset.list = list;
  for (const tab of ["announcements", "chats"])
    $(`tab-${tab}`).setAttribute("aria-current", String(tab === list));
}

export function startRoutes(login, chats, room) {
  function choose(list) {
    if (beside.matches && room.id !== null)
      showList(list);
    else
      goTo(list);
  }

  function follow() {
    const [view, id] = location.hash.slice(1).split("/");

    if (login.username === null)
      return;
    if (view === "chat" && /^\d{1,15}$/.test(id)) {
      $("house").dataset.view = "chat";
      if (!beside.matches)
        showList("chats"); // that is where "back" leads
      room.open(Number(id));
      return;
    }
    $("house").dataset.view = view === "chats" ? "chats" : "announcements";
    showList($("house").dataset.view);
    room.close();
  }

  window.addEventListener("hashchange", follow);
  login.on("changed", follow);
  $("tab-announcements").addEventListener("click", () => choose("announcements"));
  $("tab-chats").addEventListener("click", () => choose("chats"));
  $("chat-back").addEventListener("click", () => {
    const button = $("chats").querySelector(`[data-key="${room.id}"] button`);

    goTo("chats");
    focusSoon(() => button);
  });
  login.on("out", () => history.replaceState(null, "", "#announcements"));
  chats.on("removed", ({ chat }) => {
    if (location.hash !== `#chat/${chat.id}`)
      return;
    goTo("chats");
    focusSoon(() => $("chats").querySelector("button") ?? $("tab-chats"));
  });
}
