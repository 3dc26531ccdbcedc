// Runs the wallet core in Node and obeys lines of JSON on standard input:
//
//   {"call": name, "on": handle of an object or 0, "args": [...]}  ->  {"ok": result} or {"error": message}
//
// A Uint8Array stands as {"bytes": hex}. An object with functions is kept, and its
// handle stands beside its plain fields. Arguments: wasm_exec.js, walletcore.mjs, the core.

import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

globalThis.crypto ??= webcrypto; // Node before 19 does not have it where browsers do
const [, , exec, face, core] = process.argv;
await import(pathToFileURL(exec));
const { load } = await import(pathToFileURL(face));
const objects = [await load(readFileSync(core))];

const incoming = (v) => {
  if (Array.isArray(v)) return v.map(incoming);
  if (v === null || typeof v !== "object") return v;
  if (typeof v.bytes === "string") return Uint8Array.from(Buffer.from(v.bytes, "hex"));
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, incoming(x)]));
};

const outgoing = (v) => {
  if (v instanceof Uint8Array) return { bytes: Buffer.from(v).toString("hex") };
  if (Array.isArray(v)) return v.map(outgoing);
  if (v === null || typeof v !== "object") return v ?? null;
  const plain = Object.entries(v).filter(([, x]) => typeof x !== "function");
  const shown = Object.fromEntries(plain.map(([k, x]) => [k, outgoing(x)]));
  if (plain.length < Object.keys(v).length) shown.handle = objects.push(v) - 1;
  return shown;
};

for await (const line of createInterface({ input: process.stdin })) {
  const { call, on, args } = JSON.parse(line);
  let reply;
  try {
    reply = { ok: outgoing(objects[on][call](...incoming(args))) };
  } catch (e) {
    reply = { error: e instanceof Error ? e.message : "not an Error: " + e };
  }
  process.stdout.write(JSON.stringify(reply) + "\n");
}
process.exit(0); // Go's program waits for calls for ever
