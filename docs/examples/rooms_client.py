#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A small client of the rooms protocol, to read beside docs/protocols/rooms.md.

It signs up or logs in, makes a room or finds one by its name, says something, and
prints what others say. What it leaves out: files, edits, key pins (it trusts whatever
chat keys the server names), and coming back after a lost connection.

    rooms_client.py wss://localhost:9034/rooms --ca ca.pem --user anna --register \
        --room "Math club" --invite bob --say "Hallo!" --hear 3

ca.pem is the file data/server/ca.pem of the server. Debian packages: python3-websockets,
python3-cryptography.
"""
import argparse
import asyncio
import base64
import getpass
import hashlib
import json
import os
import ssl
import time
import uuid

import websockets
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text):
    return base64.b64decode(text, validate=True)


def hkdf(secret, salt, info):
    return HKDF(hashes.SHA256(), 32, salt, info).derive(secret)


def public_pem(key):
    return key.public_key().public_bytes(PEM, SPKI).decode()


def verify(key, signature, data):
    """SHA-256, with ECDSA in DER or RSA PKCS#1 v1.5; raises when it is wrong."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    else:
        key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())


class Lane:
    """One direction of the sealed connection: a key, and a counter that is the IV."""

    def __init__(self, secret, salt, info):
        self.aead = AESGCM(hkdf(secret, salt, info))
        self.count = 0

    def next_iv(self):
        iv = bytes(4) + self.count.to_bytes(8, "big")
        self.count += 1
        return iv

    def seal(self, text):
        iv = self.next_iv()
        sealed = self.aead.encrypt(iv, text.encode(), None)
        return json.dumps({"iv": b64(iv), "ciphertext": b64(sealed)})

    def open(self, envelope):
        envelope = json.loads(envelope)
        iv = self.next_iv()
        if unb64(envelope["iv"]) != iv:
            raise ValueError("a message is missing, or came twice")
        return self.aead.decrypt(iv, unb64(envelope["ciphertext"]), None).decode()


# ---- end-to-end content ----


def keyid(key):
    return hashlib.sha256(key.public_bytes(DER, SPKI)).hexdigest()[:16]


def header(room, author, ctr, by, use="msg-text", target=""):
    parts = ["quintet rooms msg", room.lower(), author.lower(), use, target.lower()]
    return "\0".join(parts).encode() + b"\0" + ctr.to_bytes(8, "big") + by.encode()


def commit(n, key):
    return hashlib.sha256(b"quintet rooms commit\0" + n + key).digest()


def digest(n, ct, epk, kc, keys):
    entries = b"".join(k.encode() + v for k, v in sorted(keys.items()))
    return hashlib.sha256(n + ct + epk + kc + entries).digest()


def wrapper(shared, n, kid):
    return AESGCM(hkdf(shared, n, b"quintet rooms wrap\0" + kid.encode()))


def seal_content(room, author, key, readers, text):
    """The content for text: key is our chat key, readers all chat keys of all members."""
    n, once, by = os.urandom(12), os.urandom(32), keyid(key.public_key())
    ctr = time.time_ns() // 1000  # rises, also over runs
    head = header(room, author, ctr, by)
    ct = AESGCM(once).encrypt(n, text.encode(), head)
    kc = commit(n, once)
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    epk = ephemeral.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    keys = {}
    for reader in readers:
        shared = ephemeral.exchange(ec.ECDH(), reader)
        kid = keyid(reader)
        keys[kid] = wrapper(shared, n, kid).encrypt(bytes(12), once, None)
    sig = key.sign(head + digest(n, ct, epk, kc, keys), ec.ECDSA(hashes.SHA256()))
    content = {"v": 1, "n": b64(n), "ct": b64(ct), "epk": b64(epk), "kc": b64(kc),
               "keys": {k: b64(v) for k, v in keys.items()}, "ctr": ctr, "by": by,
               "sig": b64(sig)}
    return b64(json.dumps(content).encode())


def open_content(room, author, key, authors, content):
    """The text; raises when anything about it is wrong. authors: the author's keys."""
    c = json.loads(unb64(content))
    n, ct, epk, kc = (unb64(c[k]) for k in ("n", "ct", "epk", "kc"))
    keys = {k: unb64(v) for k, v in c["keys"].items()}
    head = header(room, author, c["ctr"], c["by"])
    signer = {keyid(k): k for k in authors}[c["by"]]
    signer.verify(unb64(c["sig"]), head + digest(n, ct, epk, kc, keys),
                  ec.ECDSA(hashes.SHA256()))
    own = keyid(key.public_key())
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), epk)
    once = wrapper(key.exchange(ec.ECDH(), point), n, own).decrypt(
        bytes(12), keys[own], None)
    if commit(n, once) != kc:
        raise ValueError("the content has two keys")
    return AESGCM(once).decrypt(n, ct, head).decode()


# ---- the client ----


class Refused(Exception):
    pass


class Client:
    def __init__(self, ws, ca, user, chat_key):
        self.ws, self.ca, self.user, self.key = ws, ca, user, chat_key
        self.sealing = self.opening = None
        self.rooms = {}   # id: name
        self.chat_keys = {}  # user in lower case: public keys
        self.members = {}  # room: users in lower case
        self.waiting = []  # events that came while an answer was awaited

    async def send(self, kind, **data):
        text = json.dumps({"type": kind, "data": data})
        await self.ws.send(self.sealing.seal(text) if self.sealing else text)

    async def receive(self):
        text = await self.ws.recv()
        return json.loads(self.opening.open(text) if self.opening else text)

    async def answer(self, *kinds):
        """The next packet of one of these types, or STATUS with one of these sigs."""
        while True:
            packet = await self.receive()
            kind, data = packet["type"], packet.get("data", {})
            if kind in kinds or kind == "STATUS" and data["sig"] in kinds:
                return data
            if kind == "STATUS":
                raise Refused(data["sig"] + ": " + data["desc"])
            self.waiting.append(packet)

    # steps 1 to 4 of "Connection"
    async def connect(self):
        ident = uuid.uuid4()
        await self.send("CONN_INIT", uuid=str(ident), token=None)
        hello = await self.answer("CONN_ENCRYPT_S")
        certificate = x509.load_pem_x509_certificate(hello["certificate"].encode())
        verify(self.ca.public_key(), certificate.signature,
               certificate.tbs_certificate_bytes)
        verify(certificate.public_key(), unb64(hello["signature"]),
               b"rooms-kex\0" + hello["server_epbkey"].encode() + ident.bytes)
        own = ec.generate_private_key(ec.SECP256R1())
        secret = own.exchange(ec.ECDH(), serialization.load_pem_public_key(
            hello["server_epbkey"].encode()))
        await self.send("CONN_ENCRYPT_C", client_epbkey=public_pem(own))
        self.sealing = Lane(secret, ident.bytes, b"rooms c2s")
        self.opening = Lane(secret, ident.bytes, b"rooms s2c")
        await self.answer("CONN_OK")

    async def captcha(self, data):
        with open("captcha.png", "wb") as f:
            f.write(unb64(data["challenge"]))
        await self.send("S_CAPTCHA", solved=input("The digits in captcha.png: "))

    async def sign_up(self, email, fullname, dob, password):
        await self.send("SIGNUP", user=self.user, email=email, fullname=fullname, dob=dob,
                        password=password)
        data = await self.answer("NEW_ACC_OK", "CAPTCHA")
        if "challenge" in data:
            await self.captcha(data)
            await self.answer("NEW_ACC_OK")

    async def log_in(self, password):
        await self.send("LOGIN", id=self.user, password=password, save=False)
        while True:
            data = await self.answer("GEN_TOKEN", "CAPTCHA", "CHAT_PUBKEY_MISSING")
            if "challenge" in data:
                await self.captcha(data)
            elif "token" in data:
                break
            else:
                await self.send("CHAT_ENCRYPT_C", chat_pubkey=public_pem(self.key))
                await self.answer("CHAT_PUBKEY_OK")
        await self.send("AUTH_TOKEN", user=self.user, token=data["token"])
        await self.answer("LOGIN_OK")
        await self.send("CHAT_ENCRYPT_C", chat_pubkey=public_pem(self.key))
        await self.answer("CHAT_PUBKEY_OK")
        more, after = True, None
        while more:
            await self.send("LIST_ROOMS", after=after, count=100)
            data = await self.answer("ROOMS")
            for info in data["rooms"]:
                self.learn(info)
                after = info["room"]
            more = data["more"]

    def learn(self, info):
        """What the server says of a room: its name, and its members' chat keys."""
        self.rooms[info["room"]] = info["room-name"]
        self.members[info["room"]] = [m["user"].lower() for m in info["members"]]
        for member in info["members"]:
            if "chat_pubkeys" in member:
                self.chat_keys[member["user"].lower()] = [
                    serialization.load_pem_public_key(pem.encode())
                    for pem in member["chat_pubkeys"]]

    async def find_room(self, name, people):
        for room, called in self.rooms.items():
            if called == name:
                return room
        await self.send("CREATE_ROOM", **{"room-type": 1, "room-name": name,
                                          "people": people})
        info = await self.answer("ROOM_INFO")
        self.learn(info)
        return info["room"]

    async def say(self, room, text):
        readers = [k for m in self.members[room] for k in self.chat_keys.get(m, [])]
        content = seal_content(room, self.user, self.key, readers, text)
        await self.send("CHAT_ACTION", room=room, action="send", ref=str(uuid.uuid4()),
                        actiondata={"format": "msg-text", "content": content})
        await self.answer("SENT")

    async def hear(self):
        """Wait for a text; who said it, and what."""
        while True:
            packet = self.waiting.pop(0) if self.waiting else await self.receive()
            kind, data = packet["type"], packet.get("data", {})
            if kind == "JOIN_ROOM":
                self.learn(data)
            elif kind == "ROOM_ALTERED" and data["info"]:
                self.learn(data["info"])
            if "seq" in data:
                await self.send("SEEN", room=data["room"], seq=data["seq"])
            if kind != "CHAT_ACTION_S":
                continue
            author, more = data["from"], data["actiondata"]
            if data["action"] == "pubkey":
                self.chat_keys.setdefault(author.lower(), []).append(
                    serialization.load_pem_public_key(more["chat_pubkey"].encode()))
            elif data["action"] == "recv" and more["format"] == "msg-text":
                return author, open_content(
                    data["room"], author, self.key,
                    self.chat_keys.get(author.lower(), []), more["content"])


def load_key(path):
    """The chat key of this device, made the first time."""
    if not os.path.exists(path):
        key = ec.generate_private_key(ec.SECP256R1())
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
            f.write(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption()))
    with open(path, "rb") as f:
        return serialization.load_pem_private_key(f.read(), None)


async def run(args, password):
    with open(args.ca, "rb") as f:
        ca = x509.load_pem_x509_certificate(f.read())
    tls = None
    if args.url.startswith("wss:"):
        tls = ssl.create_default_context(cafile=args.ca)
        tls.check_hostname = False  # the CA is the server's own
    async with websockets.connect(args.url, ssl=tls, max_size=1 << 26) as ws:
        client = Client(ws, ca, args.user, load_key(args.key))
        await client.connect()
        if args.register:
            await client.sign_up(args.email, args.fullname, args.birth, password)
            print("registered", args.user, flush=True)
        await client.log_in(password)
        print("logged in as", args.user, flush=True)
        if args.room:
            room = await client.find_room(args.room, args.invite)
            for text in args.say:
                await client.say(room, text)
                print("said:", ascii(text), flush=True)
        for _ in range(args.hear):
            author, text = await client.hear()
            # Others must not drive the terminal.
            print("<%s> %s" % (author, ascii(text)), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("url", help="wss://HOST:PORT/rooms")
    parser.add_argument("--ca", required=True, help="the server's CA, in PEM")
    parser.add_argument("--user", required=True)
    parser.add_argument("--key", default="chat-key.pem", help="made when it is missing")
    parser.add_argument("--register", action="store_true")
    parser.add_argument("--email", default="nobody@example.org")
    parser.add_argument("--fullname", default="Nobody")
    parser.add_argument("--birth", default="2001-02-03")
    parser.add_argument("--room", help="by its name; made when there is none")
    parser.add_argument("--invite", nargs="*", default=[], help="into a room that is made")
    parser.add_argument("--say", action="append", default=[])
    parser.add_argument("--hear", type=int, default=0, help="so many messages, then leave")
    args = parser.parse_args()
    password = os.environ.get("QUINTET_PASSWORD") or getpass.getpass()
    asyncio.run(run(args, password))


if __name__ == "__main__":
    main()
