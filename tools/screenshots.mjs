// SPDX-License-Identifier: MIT
//
// The pictures of docs/web.md: three people, and the same small story each time
// (screenshots.sh starts it).
import { at, play, shots } from "../tests/system/page/stage.mjs";

const NOTES = "Who takes notes on Friday?";
const BICYCLE = "Old bicycle, needs love";

const BIKE = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480" viewBox="0 0 64 48">
<rect width="64" height="48" fill="#c8e1f5"/><rect y="38" width="64" height="10" fill="#7aa05a"/>
<g fill="none" stroke-width="1.3"><g stroke="#222831"><circle cx="17" cy="31" r="10"/><circle cx="47" cy="31" r="10"/></g>
<path stroke="#c0272d" stroke-linecap="round" stroke-linejoin="round" d="M17 31l9-14h16l-11 14zM26 17l5 14M47 31l-6-18 5-1M23 14h6"/></g></svg>`;

const look = (width, height, colorScheme) =>
  ({ viewport: { width, height }, colorScheme, locale: "en-GB" });

// A drawing as a file that can be sent.
async function drawn(person) {
  const page = await person.context.newPage();

  await page.setViewportSize({ width: 640, height: 480 });
  await page.setContent(`<body style="margin:0">${BIKE}`);
  const buffer = await page.screenshot();
  await page.close();
  return { name: "bicycle.png", mimeType: "image/png", buffer };
}

const scroll = (person, where, how) => person.page.locator(where).evaluate((node, fn) =>
  node.scroll(0, fn === "end" ? node.scrollHeight : fn), how);

// Nothing is on its way, and nobody points at anything.
async function still(person) {
  await person.page.mouse.move(0, 0);
  await person.page.evaluate(() => Promise.all([...document.images].map((image) => image.decode().catch(() => {}))));
}

async function shoot(person, name) {
  await still(person);
  await person.picture(shots, name);
}

async function comingIn(ada, ben, cem) {
  await shoot(ada, "web-login");
  await ada.register("ada");
  await ben.register("ben");
  await cem.register("cem");
}

async function posting(ada, ben, cem) {
  await ada.post(BICYCLE, "26 inch, three gears, the bell works.");
  await cem.post("Chess club looks for players",
    "Tuesdays after school in room 204. Beginners are welcome: we have boards, clocks and biscuits.");
  await ada.post(NOTES, "I am at the dentist and would like to have the notes on photosynthesis.");
}

async function talking(ada, ben, cem) {
  const image = await drawn(ada);

  await ben.ask(BICYCLE);
  await ben.say("Hello! Is the bicycle still there?");
  await ada.page.setViewportSize({ width: 1240, height: 740 });
  await ada.open("ben");
  await ada.say("Yes, it is. This is what it looks like:");
  await ada.page.getByLabel("Picture", { exact: true }).setInputFiles(image);
  await ben.log().getByRole("img").waitFor();
  await ben.say("That is only the chain and some air. I will take it!");
  await ada.hears("ben", "I will take it!");
  await ada.say("Lovely. Come to the gym after the last lesson.");
  await ben.hears("ada", "Lovely.");
  await cem.ask(NOTES);
  await cem.say("I can. Paper or a photo?");
  await cem.say("Oh, and what about the drawings?");
  await (await ada.chat("cem", "2 new")).waitFor();
}

async function looking(ada, ben, cem) {
  await ben.role("textbox", "Message").pressSequentially("Sup");
  await ada.role("status", "Typing").filter({ hasText: "ben is typing" }).waitFor();
  await scroll(ada, "#log", "end");
  await shoot(ada, "web");
  await ben.role("textbox", "Message").fill("");
  await cem.view("Announcements");
  await shoot(cem, "web-dark");
  await ben.view("Chats");
  await ben.open("ada");
  await scroll(ben, "#log", "end");
  await shoot(ben, "web-phone-chat");
  await ben.role("button", "Announcements").click();
  await scroll(ben, ".announcements", 250);
  await shoot(ben, "web-phone-list");
}

async function losing(ada) {
  await ada.context.setOffline(true);
  await ada.disconnected();
  await ada.say("Bring a pump, please.");
  await ada.page.mouse.move(0, 0);
  await ada.page.screenshot({ path: `${shots}/web-offline.png`, clip: { x: 0, y: 0, width: 856, height: 740 } });
}

await play([comingIn, posting, talking, looking, losing],
  Object.assign(await at(look(760, 520, "light")), { name: "ada" }),
  Object.assign(await at({ ...look(360, 640, "dark"), hasTouch: true }), { name: "ben" }),
  Object.assign(await at(look(860, 600, "dark")), { name: "cem" }));
