// SPDX-License-Identifier: MIT
//
// The server of Socket.IO for Node with handlers of board's events, to measure against:
//   node board_node.mjs FOLDER-WITH-NODE_MODULES TOKENS
// Users come in with a token, the one of line N of the file as user N.  It does for each
// event what the page asks for and no more: users, announcements and chats are in memory,
// messages get an id and a time and are kept nowhere.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

const { Server } = createRequire(path.resolve(process.argv[2], "package.json"))("socket.io");
const http = createServer();
const io = new Server(http, {
  pingInterval: 600000, pingTimeout: 20000, maxHttpBufferSize: 16777216, serveClient: false,
});

const tokens = new Map(readFileSync(process.argv[3], "utf8").trim().split("\n")
  .map((token, i) => [token, `u${String(i).padStart(5, "0")}`]));
const anons = new Map();  // id -> author
const chats = new Map();  // id -> { anons, users }
let anonsId = 0, chatId = 0, messageId = 0;

function logIn(socket, name) {
  const token = randomBytes(32).toString("base64url");
  socket.data.name = name;
  socket.join(["logged in", `user ${name}`]);
  socket.emit("auth-response", 1, name.slice(1), { username: name, token, expires: 0 });
}

function reply(socket, ack, event, ok, message, ...args) {
  socket.emit(event, ...args, message);
  ack?.(ok ? 1 : -1, message);
}

const handlers = {
  "new-anons"(socket, ack, title, text) {
    const id = ++anonsId;
    anons.set(id, socket.data.name);
    socket.emit("new-anons-response", id, "OK");
    io.to("logged in").emit("anons-added", id, socket.data.name, title, text, Date.now());
    ack?.(1, "OK");
  },
  "new-chat"(socket, ack, id) {
    if (!anons.has(id) || anons.get(id) === socket.data.name)
      return reply(socket, ack, "new-chat-response", false, "No such announcement", id, -1);
    chats.set(++chatId, { anons: id, users: [socket.data.name, anons.get(id)] });
    reply(socket, ack, "new-chat-response", true, "OK", id, chatId);
  },
  "join-chat"(socket, ack, id, chat) {
    if (!member(socket, id, chat))
      return reply(socket, ack, "join-chat-response", false, "No such chat", id, -1);
    socket.join(`chat ${chat}`);
    reply(socket, ack, "join-chat-response", true, "OK", id, chat);
    socket.to(`chat ${chat}`).emit("user-join", id, chat, socket.data.name);
  },
  "chat-msg"(socket, ack, id, chat, message) {
    const found = member(socket, id, chat);
    if (!found || typeof message !== "string" || message === "" || message.length > 16384)
      return reply(socket, ack, "chat-response", false, "No such chat", -1);
    const args = [++messageId, id, chat, socket.data.name, Date.now(), message];
    io.to(`chat ${chat}`).emit("chat-msg", ...args);
    io.to(found.users.map((name) => `user ${name}`)).except(`chat ${chat}`)
      .emit("new-msg-notification", ...args);
    reply(socket, ack, "chat-response", true, "OK", 1);
  },
};

function member(socket, id, chat) {
  const found = chats.get(chat);
  return found && found.anons === id && found.users.includes(socket.data.name) ? found : null;
}

io.on("connection", (socket) => {
  const known = tokens.get(socket.handshake.auth.token);
  if (known) logIn(socket, known);
  for (const [event, handle] of Object.entries(handlers)) {
    socket.on(event, (...args) => {
      const ack = typeof args.at(-1) === "function" ? args.pop() : null;
      if (!socket.data.name) return socket.emit("auth-response", -1, "Unauthorized");
      handle(socket, ack, ...args);
    });
  }
});

http.listen(0, "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${http.address().port}`);
});
