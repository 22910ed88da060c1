// SPDX-License-Identifier: MIT
//
// What every play in a browser needs: the browser, people in it, and the server.
//   node PLAY.mjs FOLDER-WITH-NODE_MODULES PORT SCREENSHOTS PICTURE CHROMIUM
// What it wants done to the server it says (node_play.h); the exit status says whether all
// was as it should be.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";

import { Person } from "./person.mjs";

const [folder, at_port, to, a_picture, program] = process.argv.slice(2);
const { chromium } = createRequire(path.resolve(folder, "package.json"))("playwright-core");

export const port = at_port;
export const shots = to;
export const picture = a_picture; // the path of a small PNG
export const url = `http://127.0.0.1:${port}/`;
export const WAIT = 30000 * Number(process.env.SLOW ?? 1);
export const DESKTOP = { viewport: { width: 1100, height: 760 }, colorScheme: "light" };
export const PHONE = { viewport: { width: 360, height: 740 }, colorScheme: "dark", hasTouch: true };
export const SMALL = { viewport: { width: 320, height: 640 }, colorScheme: "light" };

const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-gpu"], timeout: 2 * WAIT });

// Somebody in a browser of their own.
export async function at(options) {
  const person = await Person.at(browser, url, options);
  person.context.setDefaultTimeout(WAIT);
  return person;
}

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export async function server(words) {
  console.log(`do: ${words}`);
  await answers.next();
}

// The acts, in their order: each goes on where the one before ended.  Ends the process.
export async function play(acts, ...people) {
  mkdirSync(shots, { recursive: true });
  for (const act of acts) {
    const began = Date.now();
    try {
      await act(...people);
      for (const person of people) person.check();
    } catch (error) {
      for (const person of people) await person.picture(shots, `failed-${person.name}`).catch(() => {});
      console.log(`${act.name}: ${error.stack}`);
      process.exit(1);
    }
    console.log(`${act.name}: ${Date.now() - began} ms`);
  }
  await browser.close();
  process.exit(0);
}
