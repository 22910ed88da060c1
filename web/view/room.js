// SPDX-License-Identifier: MIT
//
// The open chat: who it is with, and the place to write.  Its messages are drawn by log.js.

import { $, drawing, focusSoon, say } from "./dom.js";
import { notice } from "./frame.js";
import { hueOf, sizeOf } from "./format.js";
import { showLog } from "./log.js";
import { ask } from "./question.js";

const TEXT_MAX = 16384;            // bytes of a message
const PICTURE_MAX = 8 * 1024 * 1024;
const KINDS = /^image\/(png|jpeg|gif|webp)$/;
const ROWS_MAX = 8;                // the field grows so far

export function showRoom(room, chats, login, pictures, drafts) {
  let shown = null;

  const draw = drawing(() => {
    const chat = chats.find(room.id);

    if (room.id !== shown)
      change();
    $("chat-open").hidden = chat === undefined;
    $("chat-empty").hidden = chat !== undefined;
    say($("chat-empty"), emptyText());
    if (chat === undefined)
      return;
    drawHead(chat);
    say($("typing"), room.writer === null ? "" : `${room.writer} is typing`);
    if (room.problem !== "")
      say($("composer-error"), room.problem);
  });

  function emptyText() {
    if (room.problem !== "")
      return room.problem;
    return room.id === null ? "Pick a chat, or ask about an announcement." : "Loading…";
  }

  function change() {
    shown = room.id;
    $("message").value = drafts.of(shown);
    say($("composer-error"), "");
    grow();
    if (shown !== null)
      focusSoon(() => $("message"));
  }

  room.on("changed", draw);
  chats.on("changed", draw);
  chats.on("removed", ({ chat, by_us }) => {
    const begun = drafts.of(chat.id);

    drafts.set(chat.id, "");
    if (!by_us)
      notice(`The chat with ${chat.other} was deleted.${begun === "" ? "" : ` You had begun: ${begun}`}`);
  });
  room.on("dropped", (entries) => notice("Not sent, since the chat was deleted: " +
    entries.map((entry) => entry.text ?? entry.name).join("\n")));
  showLog(room, login, pictures);
  startComposer(room, drafts);
  startDelete(room, chats);
  draw();
}

function drawHead(chat) {
  const face = $("chat-face");
  const about = [];

  if (chat.title !== "")
    about.push(chat.title);
  if (chat.online)
    about.push("online");
  face.className = `face ${hueOf(chat.other)}`;
  face.toggleAttribute("data-online", chat.online);
  say(face, chat.other.slice(0, 1).toUpperCase());
  say($("chat-name"), chat.other);
  say($("chat-about"), about.join(" · "));
}

// ---- writing ----

function startComposer(room, drafts) {
  const field = $("message");

  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    send(room, drafts);
  });
  field.addEventListener("keydown", (event) => {
    // While an input method composes, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing)
      return;
    event.preventDefault();
    send(room, drafts);
  });
  field.addEventListener("input", () => {
    drafts.set(room.id, field.value);
    say($("composer-error"), "");
    grow();
    if (field.value !== "")
      room.typing();
  });
  $("picture").addEventListener("change", () => {
    sendPictures(room, $("picture").files);
    $("picture").value = ""; // so that the same file can be chosen again
  });
  field.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length === 0)
      return;
    event.preventDefault();
    sendPictures(room, event.clipboardData.files);
  });
  // What misses the chat would be opened instead of this page.
  for (const name of ["dragover", "drop"])
    window.addEventListener(name, (event) => event.preventDefault());
  $("chat").addEventListener("drop", (event) => {
    if (room.id !== null)
      sendPictures(room, event.dataTransfer.files);
  });
}

function send(room, drafts) {
  const field = $("message"), text = field.value.trimEnd();

  if (text === "")
    return;
  if (new TextEncoder().encode(text).length > TEXT_MAX) {
    say($("composer-error"), "This is too long for one message (16 KiB).");
    return;
  }
  room.write(text);
  field.value = "";
  drafts.set(room.id, "");
  grow();
  field.focus();
}

function sendPictures(room, files) {
  say($("composer-error"), "");
  for (const file of files) {
    if (!KINDS.test(file.type))
      say($("composer-error"), "Pictures are PNG, JPEG, GIF or WebP.");
    else if (file.size > PICTURE_MAX)
      say($("composer-error"),
        `A picture may have ${sizeOf(PICTURE_MAX)}; this one has ${sizeOf(file.size)}.`);
    else
      room.picture(file);
  }
}

// As many rows as are written, up to a limit.
function grow() {
  const field = $("message");

  field.rows = 1;
  while (field.rows < ROWS_MAX && field.scrollHeight > field.clientHeight)
    field.rows++;
}

// ---- deleting ----

function startDelete(room, chats) {
  $("chat-delete").addEventListener("click", async () => {
    const { id, other } = chats.find(room.id);

    if (!await ask(`Delete this chat with ${other}? All its messages are deleted, for both of you.`,
      "Keep it", "Delete"))
      return;
    try {
      await chats.remove(id);
    } catch (problem) {
      say($("composer-error"), problem.message);
    }
  });
}
